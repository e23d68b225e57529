import { access, constants, mkdir, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { systemPath } from "../../processes/environment.ts";
import type {
  AgentCommand,
  AgentRequest,
  FoundAgent,
  HomeSeed,
  SessionAdapter,
} from "../agentAdapter.ts";
import type { AcpAgent } from "./acpConfig.ts";
import { converseByAcp } from "./acpConversation.ts";

/** An agent that speaks the Agent Client Protocol, by its configuration alone. */
export function acpAdapter(config: AcpAgent): SessionAdapter {
  const { idleMs, totalMs } = config.timeouts;
  return {
    name: config.id,
    find: (agentsDirectory) => findAgent(config, agentsDirectory),
    command: (program, request) => commandOf(config, program, request),
    seedHome: (home, seed) => seedHome(config, home, seed),
    firstSignal: "SIGTERM",
    sessionPaths: config.sessionPaths,
    limits: {
      ...(idleMs === undefined ? {} : { silenceMs: idleMs }),
      ...(totalMs === undefined ? {} : { wallClockMs: totalMs }),
    },
    converse: (session) => converseByAcp(config, session),
  };
}

/** The program must be there already: nothing is fetched when a run starts. */
async function findAgent(config: AcpAgent, agentsDirectory: string): Promise<FoundAgent> {
  const words = config.argv.map((word) => word.replaceAll("{agents}", agentsDirectory));
  const [name = "", ...args] = words;
  const folders = isAbsolute(name) ? [""] : systemPath.split(":");
  for (const folder of folders) {
    const program = folder === "" ? name : join(folder, name);
    if (await canRun(program))
      return { kind: "installed", version: config.version, program: [program, ...args] };
  }
  return { kind: "missing", message: `${config.id} is not installed: there is no ${name}.` };
}

const canRun = (program: string): Promise<boolean> =>
  access(program, constants.X_OK).then(
    () => true,
    () => false,
  );

function commandOf(
  config: AcpAgent,
  program: readonly string[],
  request: AgentRequest,
): AgentCommand {
  const env = Object.entries(config.env).flatMap(([name, value]) => {
    const filled =
      typeof value === "string" ? fill(value, request) : (request.secrets[value.secret] ?? null);
    return filled === null ? [] : [[name, filled] as const];
  });
  const argv = program.flatMap((word) => fill(word, request) ?? []);
  return { argv, env: Object.fromEntries(env), stdin: null };
}

/** Null where the text has a placeholder that the run gives no value for. */
function fill(text: string, { model, endpoint }: AgentRequest): string | null {
  const values: Record<string, string | undefined> = { model, endpoint };
  let isWhole = true;
  const filled = text.replace(/\{(model|endpoint)\}/g, (_, name: string) => {
    const value = values[name];
    isWhole &&= value !== undefined;
    return value ?? "";
  });
  return isWhole ? filled : null;
}

async function seedHome(config: AcpAgent, home: string, { request }: HomeSeed): Promise<void> {
  for (const [path, template] of Object.entries(config.files)) {
    const text = fill(template, request);
    if (text === null) continue;
    await mkdir(dirname(join(home, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(home, path), text, { mode: 0o600 });
  }
}
