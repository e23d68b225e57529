import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import type { SplitLine } from "./jsonLines.ts";

/**
 * The one shape of an agent CLI. What the vendor calls things ends behind it. Most print lines about one prompt and
 * go; some are talked with.
 */
export type AgentAdapter = LineAdapter | SessionAdapter;

export type LineAdapter = AgentBase & {
  /** How long it may take to go once it has said its last word. */
  readonly lingerMs: number;
  /** A parser keeps state, so each run has its own. Made before the start: HOME is as the last run left it. */
  createParser(request: AgentRequest): AgentParser | Promise<AgentParser>;
};

export type SessionAdapter = AgentBase & {
  /** A conversation keeps state, so each run has its own. */
  converse(session: AgentSession): AgentConversation;
};

type AgentBase = {
  readonly name: string;
  find(agentsDirectory: string): Promise<FoundAgent>;
  command(program: readonly string[], request: AgentRequest): AgentCommand;
  /** Run once after the installation, for a CLI that unpacks itself at its first start. */
  unpack?(program: readonly string[]): Pick<AgentCommand, "argv" | "env">;
  /** Puts into an empty HOME what the CLI wants to find there. */
  seedHome(home: string, seed: HomeSeed): Promise<void>;
  /** What it answers to soonest and most cleanly. */
  readonly firstSignal: NodeJS.Signals;
  /** Files and folders below HOME that hold its sessions. */
  readonly sessionPaths: readonly string[];
  /** Shorter limits than the run's own, where an agent has some. */
  readonly limits?: { wallClockMs?: number; silenceMs?: number };
};

export type HomeSeed = { program: readonly string[]; request: AgentRequest };

export type FoundAgent =
  | { kind: "installed"; version: string; program: readonly string[] }
  | { kind: "missing"; message: string };

export type AgentRequest = {
  prompt: string;
  model?: string;
  /** Base URL of the model service; absent = the agent's own. */
  endpoint?: string;
  /** The endpoint is another address of the agent's own service. */
  endpointIsOwn?: true;
  session: { kind: "new" | "resume"; id: string };
  home: string;
  /** Made up for this run and kept out of all that leaves: guards a port that the agent opens. */
  password: string;
  /** The run's environment variables that are secret, by name. */
  secrets: Readonly<Record<string, string>>;
};

export type AgentCommand = {
  argv: readonly string[];
  env: Record<string, string>;
  /**
   * The prompt goes here: an argument may be too long for the system, and others can see it. Null leaves it open
   * for a conversation.
   */
  stdin: string | null;
};

/** What a conversation is handed: the run as it is asked for, and the ways to the agent and to the record. */
export type AgentSession = {
  request: AgentRequest;
  /** What the agent was started with. */
  env: Readonly<Record<string, string>>;
  workspace: string;
  /** To the agent's stdin. */
  write(text: string): void;
  /** Records an event that follows from no line. After a `result` nothing is recorded any more. */
  emit(event: AgentEvent): Promise<void>;
  /** Something was heard from the agent by another way than its output. */
  heard(): void;
  /** Aborts when the run is to end: say so to the agent, in its own words, and let it finish. */
  stopping: AbortSignal;
};

/** Its `line`, `errorLine` and `end` are as a parser's; beside them it has something to say itself. */
export type AgentConversation = AgentParser & {
  /**
   * From the first word to the `result`; starts once the agent runs. Settles soon after `stopping` or the end of
   * the output. What it throws ends the run as an error of the agent.
   */
  lead(): Promise<void>;
  /** No further line will come. */
  outputEnded(): void;
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
