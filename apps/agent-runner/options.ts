import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { RunnerRole } from "../../shared/contracts/runner.ts";
import type { RunUser } from "./processes/runUser.ts";

export type RunnerOptions = {
  role: RunnerRole;
  host: string;
  port: number;
  state: string;
  agents: string;
  repositories: string[];
  /** A file of secrets that are not this runner's own but stand where its commands could read them. */
  maskFile: string | null;
  /** A file of further agents, which speak the Agent Client Protocol. */
  acpAgentsFile: string | null;
  exitWithParent: boolean;
  /** The user that agents and a project's commands run as; null = the runner's own. */
  user: RunUser | null;
  /** Where their workspaces lie when the state directory is not theirs to enter. */
  work: string | null;
};

export type ParsedOptions =
  | { kind: "options"; options: RunnerOptions }
  | { kind: "wrong"; message: string };

export const usage = `usage: node apps/agent-runner/server.ts --role agents|patches --port N --state DIR
         [--agents DIR] [--repo PATH]... [--host ADDRESS] [--mask FILE] [--acp-agents FILE]
         [--exit-with-parent] [--run-as UID:GID --work DIR]
--run-as names the user that agents and a project's commands run as, one that has no other process: the runner
must be root. Their workspaces are then below --work, and the state directory stays closed to them.
--mask names a JSON object of further secrets, name to value, that nothing that leaves the runner may hold.
--acp-agents names a JSON file of further agents (docs/adding-an-agent.md); the environment variable
SWITCHYARD_ACP_AGENTS may name it instead.
The bearer token comes from the environment variable SWITCHYARD_RUNNER_TOKEN.`;

export const defaultAgentsDirectory = resolve(import.meta.dirname, "../../.switchyard/agents");

export function parseOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): ParsedOptions {
  try {
    return check(readArguments(argv), env.SWITCHYARD_ACP_AGENTS);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
}

const readArguments = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      role: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string" },
      state: { type: "string" },
      agents: { type: "string", default: defaultAgentsDirectory },
      repo: { type: "string", multiple: true, default: [] },
      mask: { type: "string" },
      "run-as": { type: "string" },
      work: { type: "string" },
      "acp-agents": { type: "string" },
      "exit-with-parent": { type: "boolean", default: false },
    },
  }).values;

function check(
  given: ReturnType<typeof readArguments>,
  acpAgentsOfEnvironment: string | undefined,
): ParsedOptions {
  const acpAgents = given["acp-agents"] ?? acpAgentsOfEnvironment ?? "";
  const { role, port = "" } = given;
  if (role !== "agents" && role !== "patches") return wrong("--role must be agents or patches");
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    return wrong("--port must be a number from 0 to 65535; 0 takes any free one");
  if (given.state === undefined || given.state === "")
    return wrong("--state must name a directory that the runner may keep its runs in");
  const user = parseUser(given["run-as"]);
  if (user === "wrong") return wrong("--run-as must be UID:GID, both of them numbers above 0");
  if ((user === null) !== (given.work === undefined))
    return wrong("--run-as and --work go together");
  return {
    kind: "options",
    options: {
      role,
      host: given.host,
      port: Number(port),
      state: resolve(given.state),
      agents: resolve(given.agents),
      repositories: given.repo.map((path) => resolve(path)),
      maskFile: given.mask === undefined ? null : resolve(given.mask),
      acpAgentsFile: acpAgents === "" ? null : resolve(acpAgents),
      exitWithParent: given["exit-with-parent"],
      user,
      work: given.work === undefined ? null : resolve(given.work),
    },
  };
}

function parseUser(text: string | undefined): RunUser | null | "wrong" {
  if (text === undefined) return null;
  const [, uid, gid] = /^([1-9]\d{0,9}):([1-9]\d{0,9})$/.exec(text) ?? [];
  return uid === undefined ? "wrong" : { uid: Number(uid), gid: Number(gid) };
}

const wrong = (message: string): ParsedOptions => ({ kind: "wrong", message });
