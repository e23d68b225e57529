/**
 * `npm run agents:record`: lets the installed agent CLIs play known cases and says what is not as it was recorded.
 * See `npm run agents:record -- --help`.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { readAcpAgents } from "../apps/agent-runner/agents/acp/acpConfig.ts";
import { installAgent } from "../apps/agent-runner/agents/install.ts";
import { type RecordedAgent, recordedAgents } from "./agents-record/agents.ts";
import { type Case, cases, keepRecording, recordCase } from "./agents-record/record.ts";
import { readRecord, writeRecord } from "./agents-record/records.ts";
import { driftOf, type Shape, shapeOf, unionOf } from "./agents-record/shape.ts";
import { defaultAgentsFolder } from "./local/stateFolder.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";

const builtIn = Object.keys(recordedAgents([]));

const usage = `usage: npm run agents:record [-- options]
  --agent NAME    one of ${builtIn.join(", ")},
                  or of --acp-agents; may be given more than once (default: all)
  --case NAME     one of ${cases.join(", ")}; may be given more than once (default: all)
  --agents DIR    where the CLIs are installed (default: where npm start installs them)
  --acp-agents FILE  further agents, as the runner reads them (docs/adding-an-agent.md); their {endpoint} is the
                  scripted model
  --keep DIR      put the recordings there
  --write         take what is seen now, in two runs of each case, as the new record
exit: 0 all is as recorded, 1 something is not, 2 it could not be found out`;

const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`agents:record: ${messageOf(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const options = optionsOf();
  if (options.help) {
    say(usage);
    return 0;
  }
  let drifted = 0;
  for (const [name, agent] of options.agents) drifted += await recordAgent(name, agent, options);
  return drifted === 0 ? 0 : 1;
}

type Options = ReturnType<typeof optionsOf>;

function optionsOf() {
  const values = parsedArgs();
  const file = values["acp-agents"];
  const agents = recordedAgents(file === undefined ? [] : readAcpAgents(path.resolve(file)));
  const asked = chosen("agent", Object.keys(agents), values.agent);
  return {
    help: values.help,
    write: values.write,
    keep: values.keep,
    agentsFolder: path.resolve(values.agents),
    agents: Object.entries(agents).filter(([name]) => asked.includes(name)),
    cases: chosen("case", cases, values.case),
  };
}

function parsedArgs() {
  try {
    return parseArgs({
      options: {
        agent: { type: "string", multiple: true },
        case: { type: "string", multiple: true },
        agents: { type: "string", default: defaultAgentsFolder },
        "acp-agents": { type: "string" },
        keep: { type: "string" },
        write: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

function chosen<T extends string>(
  option: string,
  all: readonly T[],
  asked: readonly string[] | undefined,
): readonly T[] {
  for (const name of asked ?? [])
    if (!(all as readonly string[]).includes(name))
      throw new UsageError(`--${option} must be one of ${all.join(", ")}, not "${name}"`);
  return asked === undefined ? all : all.filter((name) => asked.includes(name));
}

/** How many cases are not as they were. */
async function recordAgent(
  agentName: string,
  agent: RecordedAgent,
  options: Options,
): Promise<number> {
  const found = await installed(agent, options.agentsFolder);
  const record = await readRecord(agentName);
  const against =
    record === null ? "of which there is no record yet" : `against the record of ${record.version}`;
  say(`${agentName} ${found.version}, ${against}`);
  const seen: Record<string, Shape> = {};
  let drifted = 0;
  for (const name of options.cases) {
    seen[name] = await playCase({ agentName, agent, found }, name, options);
    if (tell(name, record?.cases[name], seen[name])) drifted += 1;
  }
  if (!options.write) return drifted;
  await writeRecord(agentName, { version: found.version, cases: { ...record?.cases, ...seen } });
  return 0;
}

async function installed({ adapter, program }: RecordedAgent, agentsDirectory: string) {
  if (program !== null) {
    const outcome = await installAgent({ agent: program, agentsDirectory });
    if (outcome.kind === "failed") throw new Error(outcome.message);
  }
  const found = await adapter.find(agentsDirectory);
  if (found.kind === "missing") throw new Error(found.message);
  return found;
}

type Player = {
  agentName: string;
  agent: RecordedAgent;
  found: Awaited<ReturnType<typeof installed>>;
};

async function playCase(
  { agentName, agent, found }: Player,
  name: Case,
  { keep, write }: Options,
): Promise<Shape> {
  const shapes: Shape[] = [];
  for (let run = 0; run < (write ? 2 : 1); run += 1) {
    const recorded = await recordCase(agent, found, name);
    if (keep !== undefined) await keepRecording(keep, agentName, name, recorded);
    shapes.push(shapeOf(recorded.stdout, recorded.exitCode));
  }
  return unionOf(shapes);
}

/** Whether a case is not as it was. */
function tell(name: Case, was: Shape | undefined, is: Shape): boolean {
  const drift = was === undefined ? ["+ a case without a record"] : driftOf(was, is);
  const ended = `exit ${is.exitCode}, ${Object.keys(is.types).length} types of events`;
  say(`  ${name.padEnd(10)} ${ended}${drift.length === 0 ? ", as recorded" : ""}`);
  for (const line of drift) say(`    ${line}`);
  return drift.length > 0;
}
