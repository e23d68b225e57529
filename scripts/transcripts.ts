import { parseArgs } from "node:util";
import { replayRecording } from "../apps/agent-runner/agent-run/replayRecording.ts";
import type { RunFacts } from "../apps/agent-runner/agent-run/runFacts.ts";
import { agentNames, agentRegistry } from "../apps/agent-runner/agents/registry.ts";
import { judgeRun } from "../orchestrator/worker/domain/outcome.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";
import { RecordingError, readConversation, readRecording } from "./transcripts/readRecording.ts";
import { replayAcp, replayRun, replayServe } from "./transcripts/replayConversation.ts";

const names = [...agentNames, "acp"] as const;

const usage = `npm run --silent transcripts -- --agent NAME FILE...

Prints, as one JSON object, what the runner makes of recordings of an agent's CLI: the neutral events, the facts they
come to, and how the run would be judged, with and without a patch (a recording has no git diff).

  --agent NAME  ${names.join(", ")}
  FILE          the CLI's standard output, plain or .gz; its standard error and exit code are read from the files
                beside it (NAME.stderr, NAME.meta.json or NAME.meta.txt), else it is taken to have ended with 0.
                Of opencode: the server-sent events of its server, or NAME.stdout of opencode run. Of acp: the messages of both sides, one JSON
                object {dir: "<" or ">", msg} a line; the name before the first dot says whose they are.
                Or a folder of test/fixtures/transcripts.`;

async function main(argv: readonly string[]): Promise<void> {
  const { agent, files } = readOptions(argv);
  const recordings: object[] = [];
  for (const file of files) {
    const { events, facts } = await replay(agent, file);
    recordings.push({ file, events, facts, outcome: outcomeOf(agent, facts) });
  }
  process.stdout.write(`${JSON.stringify({ agent, recordings }, null, 2)}\n`);
}

type Name = (typeof names)[number];

async function replay(agent: Name, file: string) {
  if (agent === "opencode" && isRun(file)) {
    const recording = readRecording(file);
    const conversation = { name: agent, bytes: recording.stdout };
    const replayed = replayRun(conversation, recording.exit.exitCode ?? 1);
    return { ...replayed, facts: { ...replayed.facts, exit: recording.exit } };
  }
  if (agent === "acp" || agent === "opencode") {
    const conversation = readConversation(file);
    const replayed = await (agent === "acp" ? replayAcp : replayServe)(conversation);
    return { ...replayed, facts: { ...replayed.facts, exit: sentAway } };
  }
  const recording = readRecording(file);
  const { events, facts } = await replayRecording(agentRegistry[agent], recording);
  return { events, facts: { ...facts, exit: recording.exit } };
}

/** What `opencode run` printed, and not the events of its server. */
const isRun = (file: string): boolean => /\.(stdout|jsonl|ndjson)(\.gz)?$/.test(file);

/** One that is talked with stays until the runner sends it away. */
const sentAway = { exitCode: 0, signal: null, dismissed: true };

function readOptions(argv: readonly string[]): { agent: Name; files: string[] } {
  const { values, positionals } = parse(argv);
  const asked = values.agent === "claude" ? "claude-code" : values.agent;
  const agent = names.find((known) => known === asked);
  if (agent === undefined)
    throw new UsageError(
      values.agent === undefined
        ? "Say whose recordings these are with --agent."
        : `There is no agent "${values.agent}". Use one of: ${names.join(", ")}.`,
    );
  if (positionals.length === 0) throw new UsageError("Name at least one recording.");
  return { agent, files: positionals };
}

function parse(argv: readonly string[]) {
  try {
    const options = { agent: { type: "string" } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

/** As the worker would see it, had the run ended of its own accord. */
function outcomeOf(agent: string, facts: RunFacts) {
  const report = {
    ...facts,
    agent,
    agentVersion: "recorded",
    stoppedBy: null,
    fault: null,
    treeId: null,
    durationMs: 0,
  };
  return { withPatch: judgeRun(report, true), withoutPatch: judgeRun(report, false) };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (![UsageError, RecordingError, SyntaxError].some((kind) => error instanceof kind)) throw error;
  console.error(`transcripts: ${messageOf(error)}\n\n${usage}`);
  process.exitCode = 2;
}
