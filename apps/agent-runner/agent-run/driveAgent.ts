import type { Readable } from "node:stream";
import type { RunRequest } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type {
  AgentAdapter,
  AgentCommand,
  AgentParser,
  AgentRequest,
} from "../agents/agentAdapter.ts";
import { createLineSplitter, type SplitLine } from "../agents/jsonLines.ts";
import { type RunMarkers, runEnvironment } from "../processes/environment.ts";
import { chunksOf, type GuardedProcess, type StartProcess } from "../processes/guardedProcess.ts";
import type { Redactor } from "../redact.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { StopSwitch } from "../runs/stopSwitch.ts";
import { createTextTail } from "../runs/textTail.ts";
import type { Exchange } from "./exchange.ts";
import { shorter, watchLimits } from "./limits.ts";
import { listenTo } from "./listenTo.ts";
import { talkWith } from "./talkWith.ts";

export type AgentStart = {
  adapter: AgentAdapter;
  version: string;
  command: AgentCommand;
  /** Of an agent that prints lines; null for one that is talked with. */
  parser: AgentParser | null;
  agentRequest: AgentRequest;
  request: Pick<RunRequest, "secrets" | "limits">;
  markers: RunMarkers;
  places: { workspace: string; home: string; temporary: string };
};

export type AgentWatch = {
  startProcess: StartProcess;
  recorder: Recorder;
  redactor: Redactor;
  stopSwitch: StopSwitch;
};

const maxLineBytes = 1024 * 1024;
const errorTailBytes = 16 * 1024;

/** Runs an agent's CLI to its end, whoever ends it, and records what it says. No process of it is left then. */
export async function driveAgent(start: AgentStart, watch: AgentWatch): Promise<void> {
  const child = watch.startProcess({
    argv: start.command.argv,
    cwd: start.places.workspace,
    env: {
      ...start.request.secrets,
      ...start.command.env,
      ...runEnvironment(start.markers, start.places),
    },
    stdin: start.command.stdin,
    markers: start.markers,
  });
  const limits = watchLimits(watch.stopSwitch, shorter(start.request.limits, start.adapter.limits));
  const exchange = openExchange(child, start, watch.recorder, limits.heard);
  watch.stopSwitch.signal.addEventListener("abort", exchange.stop);
  if (watch.stopSwitch.signal.aborted) exchange.stop();
  try {
    await follow(child, exchange, start, watch, limits);
  } finally {
    limits.end();
    watch.stopSwitch.signal.removeEventListener("abort", exchange.stop);
    child.signal("SIGKILL");
    await child.closed;
  }
}

function openExchange(
  child: GuardedProcess,
  { adapter, command, parser, agentRequest, places }: AgentStart,
  recorder: Recorder,
  heard: () => void,
): Exchange {
  if ("converse" in adapter) {
    const { workspace } = places;
    return talkWith(child, adapter, { agentRequest, command, workspace, heard }, recorder);
  }
  if (parser === null) throw new Error(`${adapter.name} prints lines, and has no parser.`);
  return listenTo(child, adapter, parser, recorder);
}

async function follow(
  child: GuardedProcess,
  exchange: Exchange,
  start: AgentStart,
  { recorder, redactor }: AgentWatch,
  limits: ReturnType<typeof watchLimits>,
): Promise<void> {
  const started = await child.started;
  if (started.kind === "not_started") {
    child.stdout.resume();
    child.stderr.resume();
    throw new SwitchyardError(
      "agent_not_installed",
      `${start.adapter.name} could not be started: ${started.message}`,
    );
  }
  const { name } = start.adapter;
  await recorder.record({ type: "agent_started", agent: name, version: start.version });
  const tail = createTextTail(errorTailBytes);
  const output = followOutput(child.stdout, exchange, limits.heard);
  const errors = followErrors(child.stderr, exchange.parser, recorder.record, (chunk) => {
    limits.heard();
    tail.push(chunk);
  });
  const followed = Promise.all([output.finally(exchange.outputEnded), errors, exchange.begin()]);
  followed.catch(() => child.signal("SIGKILL"));
  const exit = await child.exit;
  limits.end();
  await child.closed;
  await followed;
  for (const event of await exchange.parser.end({ exit, errorOutput: tail.read(redactor) }))
    await exchange.record(event);
  await recorder.record({
    type: "agent_exited",
    exitCode: exit?.exitCode ?? null,
    signal: exit?.signal ?? null,
    ...(exchange.dismissed() ? { dismissed: true } : {}),
  });
}

/** How many chunks may be on their way to the disk, each of at most 64 KiB. */
const chunksUnderWay = 16;

/** Chunks are taken as they come until too many are not on the disk yet: the agent waits for a slow disk. */
async function followOutput(
  stdout: Readable,
  { parser, record }: Exchange,
  heard: () => void,
): Promise<void> {
  const splitter = createLineSplitter(maxLineBytes);
  const underWay: Promise<unknown>[] = [];
  const keep = (lines: SplitLine[]) => {
    const kept = Promise.all(lines.flatMap(parser.line).map(record));
    kept.catch(() => {});
    underWay.push(kept);
  };
  for await (const chunk of chunksOf(stdout)) {
    heard();
    keep(splitter.push(chunk));
    if (underWay.length >= chunksUnderWay) await underWay.shift();
  }
  keep(splitter.end());
  await Promise.all(underWay);
}

async function followErrors(
  stderr: Readable,
  parser: AgentParser,
  record: Recorder["record"],
  heard: (chunk: Buffer) => void,
): Promise<void> {
  const splitter = createLineSplitter(64 * 1024);
  for await (const chunk of chunksOf(stderr)) {
    heard(chunk);
    const lines = splitter.push(chunk).flatMap((line) => (line.kind === "line" ? [line.text] : []));
    await Promise.all(lines.flatMap((line) => parser.errorLine(line)).map(record));
  }
}
