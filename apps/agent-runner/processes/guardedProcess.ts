import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunMarkers, runMarkers, systemPath } from "./environment.ts";
import { type CommandExit, createMessageReader, type GuardReport } from "./guardMessages.ts";
import { killGroup } from "./reaper.ts";

export type GuardedCommand = {
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** Written to the command's stdin, which is then closed; null leaves it open. */
  stdin: string | null;
  markers: RunMarkers;
};

export type GuardedProcess = {
  stdout: Readable;
  stderr: Readable;
  /** To the command's stdin, while it is open. */
  write(text: string): void;
  endInput(): void;
  started: Promise<{ kind: "started" } | { kind: "not_started"; message: string }>;
  /** How the command itself ended; null when the guard was lost and nobody saw it. */
  exit: Promise<CommandExit | null>;
  /** To the whole process group; without effect once the command has ended. */
  signal(name: NodeJS.Signals): void;
  /** Settles when the guard has ended all it found and both outputs are closed. */
  closed: Promise<void>;
};

type GuardPipes = [stdin: Writable, stdout: Readable, stderr: Readable, channel: Duplex];

export type StartProcess = (command: GuardedCommand) => GuardedProcess;

const guardProgram = join(import.meta.dirname, "guard.ts");
const subreaperProgram = join(import.meta.dirname, "subreaper.py");
const outputGraceMs = 2000;
const guardGraceMs = 15_000;

/**
 * Starts a command that does not outlive this process (guard.ts). On Linux nothing that descends from it outlives
 * it either, whatever it did to its environment (subreaper.py).
 */
export function startGuarded(command: GuardedCommand): GuardedProcess {
  const { user = null } = command.markers;
  const guard = startGuard(runMarkers(command.markers), user !== null);
  const [stdin, stdout, stderr, channel] = guard.stdio as unknown as GuardPipes;
  const reports = followReports(channel);
  const gone = new Promise<void>((resolve) => {
    guard.once("exit", () => resolve());
    guard.once("error", () => resolve());
  });
  stdin.on("error", () => {});
  if (command.stdin !== null) stdin.end(command.stdin);
  send(channel, { ...command, markers: runMarkers(command.markers), user, stdin: undefined });

  return {
    stdout,
    stderr,
    write: (text) => {
      if (stdin.writable) stdin.write(text);
    },
    endInput: () => void stdin.end(),
    started: reports.started,
    exit: reports.exit,
    signal: (name) => send(channel, { signal: name }),
    closed: closeAll(reports.exit, gone, [stdout, stderr], () => {
      if (guard.pid !== undefined) killGroup(guard.pid);
    }),
  };
}

function startGuard(markers: readonly string[], isConfined: boolean): ChildProcess {
  const guard = [process.execPath, "--no-warnings", guardProgram];
  const [program = "", ...args] =
    process.platform === "linux"
      ? [
          ...["python3", "-I", "-S", subreaperProgram, ...(isConfined ? ["--confine"] : [])],
          ...[...markers, ...guard],
        ]
      : ["env", ...markers, ...guard];
  return spawn(program, args, {
    cwd: "/",
    env: { PATH: systemPath },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true,
  });
}

function followReports(channel: Duplex): Pick<GuardedProcess, "started" | "exit"> {
  const started = Promise.withResolvers<Awaited<GuardedProcess["started"]>>();
  const exit = Promise.withResolvers<CommandExit | null>();
  const read = createMessageReader<GuardReport>((report) => {
    if (report.kind === "started") started.resolve({ kind: "started" });
    if (report.kind === "not_started") started.resolve(report);
    if (report.kind === "exited")
      exit.resolve({ exitCode: report.exitCode, signal: report.signal });
  });
  channel.setEncoding("utf8");
  channel.on("data", read);
  channel.on("error", () => {});
  channel.on("close", () => {
    started.resolve({
      kind: "not_started",
      message: "the guard of the command is gone (on Linux it needs python3)",
    });
    exit.resolve(null);
  });
  return { started: started.promise, exit: exit.promise };
}

/** A process that got rid of its markers may hold an output open for ever: the wait has an end. */
async function closeAll(
  exit: Promise<unknown>,
  gone: Promise<void>,
  outputs: Readable[],
  killGuard: () => void,
): Promise<void> {
  const ended = Promise.all(
    outputs.map((output) => new Promise<void>((resolve) => output.once("close", () => resolve()))),
  );
  await exit;
  if ((await within(gone, guardGraceMs)) === "late") killGuard();
  await gone;
  if ((await within(ended, outputGraceMs)) === "late")
    for (const output of outputs) output.destroy();
}

/** What a command prints. An output that had to be closed by force simply ends. */
export async function* chunksOf(output: Readable): AsyncGenerator<Buffer> {
  try {
    yield* output as AsyncIterable<Buffer>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

/** Waits for a promise, but not for longer than this. */
export async function within(
  promise: Promise<unknown>,
  limitMs: number,
): Promise<"settled" | "late"> {
  const timer = new AbortController();
  const late = sleep(limitMs, "late" as const, { signal: timer.signal }).catch(
    () => "late" as const,
  );
  const outcome = await Promise.race([promise.then(() => "settled" as const), late]);
  timer.abort();
  return outcome;
}

function send(channel: Duplex, message: object): void {
  if (channel.writable) channel.write(`${JSON.stringify(message)}\n`);
}
