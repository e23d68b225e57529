import type { Readable } from "node:stream";
import type { RunRequest } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { AgentAdapter, AgentCommand, AgentParser } from "../agents/agentAdapter.ts";
import { createLineSplitter } from "../agents/jsonLines.ts";
import { type RunMarkers, runEnvironment } from "../processes/environment.ts";
import { chunksOf, type GuardedProcess, startGuarded } from "../processes/guardedProcess.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import { endByLadder, ladderFrom } from "../processes/stopLadder.ts";
import type { Redactor } from "../redact.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { StopSwitch } from "../runs/stopSwitch.ts";
import { createTextTail } from "../runs/textTail.ts";
import { watchLimits } from "./limits.ts";
import { endAfterLastWord } from "./linger.ts";

export type AgentStart = {
  adapter: AgentAdapter;
  version: string;
  command: AgentCommand;
  parser: AgentParser;
  request: Pick<RunRequest, "secrets" | "limits">;
  markers: RunMarkers;
  places: { workspace: string; home: string; temporary: string };
};

export type AgentWatch = { recorder: Recorder; redactor: Redactor; stopSwitch: StopSwitch };

const maxLineBytes = 1024 * 1024;
const errorTailBytes = 16 * 1024;

/** Runs an agent's CLI to its end, whoever ends it, and records what it says. No process of it is left then. */
export async function driveAgent(start: AgentStart, watch: AgentWatch): Promise<void> {
  const child = startGuarded({
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
  const onStop = () => void endByLadder(child, ladderFrom(start.adapter.firstSignal));
  watch.stopSwitch.signal.addEventListener("abort", onStop);
  if (watch.stopSwitch.signal.aborted) onStop();
  try {
    await follow(child, start, watch);
  } finally {
    watch.stopSwitch.signal.removeEventListener("abort", onStop);
    child.signal("SIGKILL");
    await child.closed;
  }
}

async function follow(child: GuardedProcess, start: AgentStart, watch: AgentWatch): Promise<void> {
  const { record } = watch.recorder;
  const started = await child.started;
  if (started.kind === "not_started") {
    child.stdout.resume();
    child.stderr.resume();
    throw new SwitchyardError(
      "agent_not_installed",
      `${start.adapter.name} could not be started: ${started.message}`,
    );
  }
  await record({ type: "agent_started", agent: start.adapter.name, version: start.version });
  const { parser } = start;
  const tail = createTextTail(errorTailBytes);
  const limits = watchLimits(watch.stopSwitch, start.request.limits);
  const linger = endAfterLastWord(child, start.adapter, record);
  const output = followOutput(child.stdout, parser, linger.record, limits.heard);
  const errors = followErrors(child.stderr, parser, record, (chunk) => {
    limits.heard();
    tail.push(chunk);
  });
  const followed = Promise.all([output, errors]);
  followed.catch(() => child.signal("SIGKILL"));
  const exit = await child.exit;
  limits.end();
  linger.end();
  await child.closed;
  await followed;
  await recordEnd(parser, exit, tail.read(watch.redactor), record);
}

type Record = Recorder["record"];

async function recordEnd(
  parser: AgentParser,
  exit: CommandExit | null,
  errorOutput: string,
  record: Record,
): Promise<void> {
  for (const event of await parser.end({ exit, errorOutput })) await record(event);
  await record({
    type: "agent_exited",
    exitCode: exit?.exitCode ?? null,
    signal: exit?.signal ?? null,
  });
}

/** The next chunk is taken once the events of this one are on the disk: the agent waits for a slow disk. */
async function followOutput(
  stdout: Readable,
  parser: AgentParser,
  record: Record,
  heard: () => void,
): Promise<void> {
  const splitter = createLineSplitter(maxLineBytes);
  for await (const chunk of chunksOf(stdout)) {
    heard();
    await Promise.all(splitter.push(chunk).flatMap(parser.line).map(record));
  }
  await Promise.all(splitter.end().flatMap(parser.line).map(record));
}

async function followErrors(
  stderr: Readable,
  parser: AgentParser,
  record: Record,
  heard: (chunk: Buffer) => void,
): Promise<void> {
  const splitter = createLineSplitter(64 * 1024);
  for await (const chunk of chunksOf(stderr)) {
    heard(chunk);
    const lines = splitter.push(chunk).flatMap((line) => (line.kind === "line" ? [line.text] : []));
    await Promise.all(lines.flatMap((line) => parser.errorLine(line)).map(record));
  }
}
