import { parseArgs } from "node:util";
import { replayRecording } from "../apps/agent-runner/agent-run/replayRecording.ts";
import type { RunFacts } from "../apps/agent-runner/agent-run/runFacts.ts";
import type { LineAdapter } from "../apps/agent-runner/agents/agentAdapter.ts";
import { agentRegistry, lineAgentNames } from "../apps/agent-runner/agents/registry.ts";
import { judgeRun } from "../orchestrator/worker/domain/outcome.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";
import { RecordingError, readRecording } from "./transcripts/readRecording.ts";

const usage = `npm run --silent transcripts -- --agent NAME FILE...

Prints, as one JSON object, what the runner makes of recordings of an agent's CLI: the neutral events, the facts they
come to, and how the run would be judged, with and without a patch (a recording has no git diff).

  --agent NAME  ${lineAgentNames.join(", ")}
  FILE          the CLI's standard output, plain or .gz; its standard error and exit code are read from the files
                beside it (NAME.stderr, NAME.meta.json or NAME.meta.txt), else it is taken to have ended with 0.
                Or a folder of test/fixtures/transcripts.`;

async function main(argv: readonly string[]): Promise<void> {
  const { agent, files } = readOptions(argv);
  const recordings: object[] = [];
  for (const file of files) {
    const recording = readRecording(file);
    const { events, facts: told } = await replayRecording(agent, recording);
    const facts = { ...told, exit: recording.exit };
    recordings.push({ file, events, facts, outcome: outcomeOf(agent, facts) });
  }
  process.stdout.write(`${JSON.stringify({ agent: agent.name, recordings }, null, 2)}\n`);
}

function readOptions(argv: readonly string[]): { agent: LineAdapter; files: string[] } {
  const { values, positionals } = parse(argv);
  const name = lineAgentNames.find((known) => known === values.agent);
  if (name === undefined)
    throw new UsageError(
      values.agent === undefined
        ? "Say whose recordings these are with --agent."
        : `There is no agent "${values.agent}". Use one of: ${lineAgentNames.join(", ")}.`,
    );
  if (positionals.length === 0) throw new UsageError("Name at least one recording.");
  return { agent: agentRegistry[name], files: positionals };
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
function outcomeOf({ name: agent }: LineAdapter, facts: RunFacts) {
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
  if (!(error instanceof UsageError || error instanceof RecordingError)) throw error;
  console.error(`transcripts: ${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
