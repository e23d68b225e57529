import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import type { SplitLine } from "./jsonLines.ts";

/** The one shape of an agent CLI. What the vendor calls things ends behind it. */
export type AgentAdapter = {
  readonly name: string;
  find(agentsDirectory: string): Promise<FoundAgent>;
  command(program: readonly string[], request: AgentRequest): AgentCommand;
  /** Run once after the installation, for a CLI that unpacks itself at its first start. */
  unpack?(program: readonly string[]): Pick<AgentCommand, "argv" | "env">;
  /** Puts into an empty HOME what the CLI wants to find there. */
  seedHome(home: string): Promise<void>;
  /** What it answers to soonest and most cleanly. */
  readonly firstSignal: NodeJS.Signals;
  /** How long it may take to go once it has said its last word. */
  readonly lingerMs: number;
  /** Files and folders below HOME that hold its sessions. */
  readonly sessionPaths: readonly string[];
  /** A parser keeps state, so each run has its own. Made before the start: HOME is as the last run left it. */
  createParser(request: AgentRequest, nowMs: () => number): AgentParser | Promise<AgentParser>;
};

export type FoundAgent =
  | { kind: "installed"; version: string; program: readonly string[] }
  | { kind: "missing"; message: string };

export type AgentRequest = {
  prompt: string;
  model?: string;
  /** Base URL of the model service; absent = the agent's own. */
  endpoint?: string;
  session: { kind: "new" | "resume"; id: string };
  home: string;
};

export type AgentCommand = {
  argv: readonly string[];
  env: Record<string, string>;
  /** The prompt goes here: an argument may be too long for the system, and others can see it. */
  stdin: string;
};

export type AgentParser = {
  /** One line of stdout. Never throws: what it does not know becomes a `raw` event. */
  line(line: SplitLine): AgentEvent[];
  /** One line of stderr. */
  errorLine(line: string): AgentEvent[];
  /** What can only be told once the process is gone. */
  end(facts: {
    exit: CommandExit | null;
    errorOutput: string;
  }): AgentEvent[] | Promise<AgentEvent[]>;
};
