import { resendDelayMs } from "../../domain/backoff.ts";
import { stands } from "../../domain/guards.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { Supervisors } from "../../domain/ports/supervisors.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { SweepItem, TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { isWaitingTask } from "../../domain/states.ts";

export type SweepDeps = {
  tasks: TaskStore;
  queue: TaskQueue;
  supervisors: Supervisors;
  clock: Clock;
  log: Log;
  settings: Pick<Settings, "resendAfterMs">;
};

const maxTasksPerTick = 500;

/**
 * Finds what a crash or a lost message left behind: queued tasks get their message again, working ones have
 * their supervisor woken. A tick never declares an execution lost by its age.
 */
export async function sweepTasks(deps: SweepDeps): Promise<{ sent: number; woken: number }> {
  const due = await deps.tasks.dueForSweep(deps.clock.nowMs(), maxTasksPerTick);
  let sent = 0;
  let woken = 0;
  for (const item of due) {
    try {
      await postpone(deps, item);
      if (isWaitingTask(item.status)) {
        if (stands("sweep_resends_message")) await deps.queue.send(item.ref);
        sent += 1;
      } else {
        await wake(deps, item);
        woken += 1;
      }
    } catch (error) {
      deps.log.warn("sweep.item_failed", { ...item.ref, error });
    }
  }
  return { sent, woken };
}

/** The next look comes later each time; a task that waits for a known time is looked at then. */
async function postpone(deps: SweepDeps, item: SweepItem): Promise<void> {
  const sends = item.sends + 1;
  const atMs = deps.clock.nowMs() + resendDelayMs(deps.settings.resendAfterMs, item.sends);
  await deps.tasks.postponeSweep(item.ref, atMs, sends);
}

/** A supervisor that does not know the attempt never got it, so it gets it now. */
async function wake(deps: SweepDeps, item: SweepItem): Promise<void> {
  if (!stands("sweep_wakes_supervisor")) return;
  const { fence } = await deps.supervisors.poke(item.ref);
  if (fence >= item.fence || !stands("sweep_hands_over_again")) return;
  deps.log.warn("sweep.attempt_unknown", { ...item.ref, fence: item.fence });
  await deps.supervisors.start(item.ref, item.fence);
}
