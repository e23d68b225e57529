import { setTimeout as sleep } from "node:timers/promises";
import {
  type GuardedProcess,
  startGuarded,
  within,
} from "../../apps/agent-runner/processes/guardedProcess.ts";

export type KeptProgram = {
  name: string;
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** Marks every process of it, so that none is left when this program ends, however it ends. */
  deploymentId: string;
  stopSignal: NodeJS.Signals;
  /** Called until it answers true; the program counts as started then. It may throw CannotStart. */
  isReady(): Promise<boolean>;
  /** Called before a further start, after an end that nobody asked for. */
  onRestart(how: string): void;
  onLine(line: string): void;
  /** Ends the wait for the first start. */
  cancelled: AbortSignal;
};

export type KeptProcess = {
  /** Settles when it would not stay alive. */
  gaveUp: Promise<string>;
  stop(): Promise<void>;
};

/** A program that runs and will never be ready, with the reason for people. */
export class CannotStart extends Error {}

const readyWithinMs = 60_000;
const stopWithinMs = 8_000;
const maxRestartsAMinute = 10;

/** Starts a program, waits until it is ready, and starts it again whenever it ends by itself. */
export async function keepRunning(program: KeptProgram): Promise<KeptProcess> {
  const gaveUp = Promise.withResolvers<string>();
  let stopping = false;
  let current = startOnce(program);
  await untilReady(program, current).catch(async (error: Error) => {
    current.signal("SIGKILL");
    await current.closed;
    throw error;
  });

  /** One life of the program after another; answers false when there shall be no further one. */
  const liveAgain = async (restarts: number[]): Promise<boolean> => {
    const exit = await current.exit;
    await current.closed;
    if (stopping) return false;
    const pauseMs = pauseBefore(restarts);
    if (pauseMs === null) {
      gaveUp.resolve(`${program.name} ended again and again within a minute`);
      return false;
    }
    program.onRestart(exit?.signal ?? `code ${exit?.exitCode ?? "unknown"}`);
    await sleep(pauseMs);
    if (stopping) return false;
    current = startOnce(program);
    await untilReady(program, current).catch((error: Error) => program.onLine(error.message));
    return true;
  };
  const watch = async () => {
    const restarts: number[] = [];
    while (await liveAgain(restarts));
  };
  const watching = watch();

  return {
    gaveUp: gaveUp.promise,
    async stop() {
      stopping = true;
      current.signal(program.stopSignal);
      if ((await within(current.closed, stopWithinMs)) === "late") current.signal("SIGKILL");
      await current.closed;
      await watching;
    },
  };
}

/** Longer with every restart of the last minute; null when there were too many. */
function pauseBefore(restarts: number[]): number | null {
  const now = Date.now();
  restarts.push(now);
  const recent = restarts.filter((atMs) => atMs > now - 60_000).length;
  return recent > maxRestartsAMinute ? null : Math.min(200 * 2 ** (recent - 1), 5_000);
}

function startOnce(program: KeptProgram): GuardedProcess {
  const { argv, cwd, env, deploymentId, name } = program;
  const markers = { runnerId: deploymentId, executionId: name };
  const marked = { SWITCHYARD_RUNNER: deploymentId, SWITCHYARD_EXECUTION: name };
  const started = startGuarded({ argv, cwd, env: { ...env, ...marked }, stdin: "", markers });
  for (const output of [started.stdout, started.stderr]) {
    let rest = "";
    output.setEncoding("utf8");
    output.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) program.onLine(line);
    });
  }
  return started;
}

/** Whatever else went wrong may be right in a moment. */
function notYet(error: unknown): boolean {
  if (error instanceof CannotStart) throw error;
  return false;
}

async function untilReady(program: KeptProgram, process: GuardedProcess): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  let ended = false;
  void process.exit.then(() => {
    ended = true;
  });
  while (!ended && Date.now() < deadline) {
    program.cancelled.throwIfAborted();
    if (await program.isReady().catch(notYet)) return;
    await sleep(100);
  }
  throw new Error(`${program.name} ${ended ? "ended at once" : "did not get ready in a minute"}`);
}
