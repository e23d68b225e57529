import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";

/** Called by whoever frees a slot: one message to the task that waited longest for its turn. */
export async function wakeNext(
  deps: { tasks: TaskStore; queue: TaskQueue; clock: Clock; log: Log },
  freed: { organizationId: string; projectId: string },
): Promise<void> {
  try {
    const [next] = await deps.tasks.nextWaiting(deps.clock.nowMs(), 1, freed);
    if (next !== undefined) await deps.queue.send(next);
  } catch (error) {
    // The slot is free all the same; the sweep sends to the waiting task later.
    deps.log.warn("wake_next.failed", { error });
  }
}
