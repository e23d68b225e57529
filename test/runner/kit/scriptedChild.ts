import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { GuardedProcess } from "../../../apps/agent-runner/processes/guardedProcess.ts";
import type { CommandExit } from "../../../apps/agent-runner/processes/guardMessages.ts";

/** One thing that a process does, or that is seen of it. */
export type Step =
  | { does: "start" | "not_start" | "end_output" | "end_errors" }
  | { does: "say"; bytes: Uint8Array }
  | { does: "exit"; exit: CommandExit | null };

export type ScriptedChild = {
  process: GuardedProcess;
  signals: NodeJS.Signals[];
  /** Takes one step, and lets everybody notice; false when there was none left. */
  step(): Promise<boolean>;
};

/**
 * A process that does nothing by itself: its test says when it takes its next step. `ending` is what it does in the
 * place of all further steps once a signal has reached it; null for one that does not mind.
 */
export function scriptedChild(
  script: readonly Step[],
  ending: readonly Step[] | null,
): ScriptedChild {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const started = Promise.withResolvers<Awaited<GuardedProcess["started"]>>();
  const exit = Promise.withResolvers<CommandExit | null>();
  const signals: NodeJS.Signals[] = [];
  const done = new Set<Step["does"]>();
  let steps = [...script];
  let isEnding = false;

  const endOnSignal = () => {
    if (ending === null || isEnding || signals.length === 0) return;
    if (!done.has("start") || done.has("exit")) return;
    isEnding = true;
    steps = ending.filter(({ does }) => does === "say" || !done.has(does));
  };
  const take = (step: Step): unknown => {
    done.add(step.does);
    switch (step.does) {
      case "start":
        return started.resolve({ kind: "started" });
      case "not_start":
        started.resolve({ kind: "not_started", message: "it is not there" });
        return exit.resolve(null);
      case "say":
        return stdout.writableEnded ? undefined : stdout.write(step.bytes);
      case "end_output":
        return stdout.end();
      case "end_errors":
        return stderr.end();
      case "exit":
        return exit.resolve(step.exit);
    }
  };
  return {
    process: {
      stdout,
      stderr,
      write: () => {},
      endInput: () => {},
      started: started.promise,
      exit: exit.promise,
      signal: (name) => void signals.push(name),
      closed: Promise.all([exit.promise, closing(stdout), closing(stderr)]).then(() => {}),
    },
    signals,
    step: async () => {
      await settled();
      endOnSignal();
      const step = steps.shift();
      if (step === undefined) return false;
      take(step);
      await settled();
      return true;
    },
  };
}

const closing = (output: PassThrough) =>
  new Promise<void>((resolve) => output.once("close", () => resolve()));

/** Streams hand on over a few turns of the loop. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}
