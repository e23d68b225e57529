import type { Clock } from "../../domain/ports/clock.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";

/** Puts a queued task aside until a time, with the reason that people are shown. `lost` = it is not queued any more. */
export async function parkTask(
  deps: { tasks: TaskStore; clock: Clock },
  ref: TaskRef,
  by: string,
  { reason, untilMs }: { reason: string; untilMs: number },
): Promise<{ kind: "parked" } | { kind: "lost" }> {
  const task = await deps.tasks.find(ref);
  if (task === null) return { kind: "lost" };
  const parked = await deps.tasks.park(ref, {
    fence: task.fence,
    untilMs,
    reason,
    nowMs: deps.clock.nowMs(),
    log: { actor: by, action: "task.parked", message: `It waits: ${reason}.` },
  });
  return parked.kind === "done" ? { kind: "parked" } : parked;
}
