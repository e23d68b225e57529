import type { Readable } from "node:stream";
import type { CommandVerdict, ValidationCommand } from "../../../shared/contracts/runner.ts";
import { type RunMarkers, runEnvironment } from "../processes/environment.ts";
import { chunksOf, type GuardedProcess, startGuarded } from "../processes/guardedProcess.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import { endByLadder } from "../processes/stopLadder.ts";
import type { Redactor } from "../redact.ts";
import { createHoldback } from "../runs/holdback.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { StopSwitch } from "../runs/stopSwitch.ts";
import { createTextTail } from "../runs/textTail.ts";
import { createWholeOutput, type KeptOutput } from "./wholeOutput.ts";

export type CommandPlace = {
  folder: string;
  home: string;
  temporary: string;
  markers: RunMarkers;
  /** Where its whole output is kept, and how much of it. */
  output: { file: string; maxBytes: number };
};

export type CommandWatch = { recorder: Recorder; redactor: Redactor; stopSwitch: StopSwitch };

const tailBytes = 8 * 1024;
const shownBytes = 256 * 1024;

/** The machine's own commands take a moment to end; nothing of theirs is worth waiting longer for. */
const ladder = [
  { act: "SIGTERM", graceMs: 2000 },
  { act: "SIGKILL", graceMs: 2000 },
] as const;

/** Runs one command of a project on an export of its tree, without a shell and without a secret. */
export async function runCommand(
  command: ValidationCommand,
  place: CommandPlace,
  watch: CommandWatch,
): Promise<CommandVerdict> {
  const { name, argv } = command;
  const startedAt = performance.now();
  await watch.recorder.record({ type: "command_started", name, argv });
  const child = startGuarded({
    argv,
    cwd: place.folder,
    env: { ...runEnvironment(place.markers, place), CI: "1" },
    stdin: "",
    markers: place.markers,
  });
  const clock = watchTime(child, command.timeoutMs, watch.stopSwitch);
  const tail = createTextTail(tailBytes);
  const limits = { smallBytes: tailBytes, maxBytes: place.output.maxBytes };
  const whole = createWholeOutput(place.output.file, limits, watch.redactor);
  const output = showOutput(child, name, watch, {
    chunk: (chunk) => tail.push(chunk),
    text: (text) => whole.push(text),
  });
  const started = await child.started;
  const exit = await child.exit;
  clock.end();
  await child.closed;
  await output;
  const kept = await whole.end();
  const verdict: CommandVerdict = {
    name,
    argv,
    ...judge(started, exit, clock.isOver()),
    durationMs: Math.round(performance.now() - startedAt),
    ...(started.kind === "started"
      ? outputOf(kept, () => tail.read(watch.redactor))
      : { tail: started.message }),
  };
  const { status, exitCode, durationMs } = verdict;
  await watch.recorder.record({ type: "command_finished", name, status, exitCode, durationMs });
  return verdict;
}

function outputOf(
  kept: KeptOutput,
  readTail: () => string,
): Pick<CommandVerdict, "tail" | "output"> {
  if (kept.kind === "small") return { tail: kept.text };
  if (kept.kind === "lost") return { tail: readTail(), output: null };
  return { tail: readTail(), output: { bytes: kept.bytes, cut: kept.cut } };
}

function judge(
  started: Awaited<GuardedProcess["started"]>,
  exit: CommandExit | null,
  isOver: boolean,
): Pick<CommandVerdict, "status" | "exitCode"> {
  if (started.kind === "not_started") return { status: "not_started", exitCode: null };
  const exitCode = exit?.exitCode ?? null;
  if (isOver) return { status: "timed_out", exitCode };
  return { status: exitCode === 0 ? "passed" : "failed", exitCode };
}

function watchTime(child: GuardedProcess, limitMs: number, { signal }: StopSwitch) {
  let isOver = false;
  const end = () => void endByLadder(child, ladder);
  const timer = setTimeout(() => {
    isOver = true;
    end();
  }, limitMs);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  return {
    isOver: () => isOver,
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    },
  };
}

type OutputTakers = { chunk(chunk: Buffer): void; text(text: string): Promise<void> };

/** The first part is shown as it comes; whoever takes it all keeps on following. */
async function showOutput(
  child: GuardedProcess,
  name: string,
  { recorder, redactor }: CommandWatch,
  take: OutputTakers,
): Promise<void> {
  let shown = 0;
  const show = async (text: string) => {
    await take.text(text);
    if (text === "" || shown > shownBytes) return;
    shown += text.length;
    const isLast = shown > shownBytes;
    const note = isLast ? "\n[cut: what follows is not shown, but for its end]\n" : "";
    await recorder.record({ type: "command_output", name, text: text + note });
  };
  const follow = async (output: Readable) => {
    const decoder = new TextDecoder();
    const pieces = createHoldback(redactor);
    for await (const chunk of chunksOf(output)) {
      take.chunk(chunk);
      await show(pieces.push(decoder.decode(chunk, { stream: true })));
    }
    await show(pieces.push(decoder.decode()) + pieces.flush());
  };
  await Promise.all([follow(child.stdout), follow(child.stderr)]);
}
