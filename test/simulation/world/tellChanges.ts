import type { Task } from "../../../orchestrator/worker/domain/task.ts";
import type { Before } from "./invariants.ts";
import type { World } from "./world.ts";

/** Tells what a write has changed: the state before and after, of tasks and of their executions. */
export function tellChanges(world: World, before: Before, after: Before): void {
  for (const [id, task] of after.tasks) tellTask(world, before.tasks.get(id), task);
  for (const [id, execution] of after.executions) {
    const was = before.executions.get(id)?.status;
    if (was !== execution.status)
      world.trace.tell(
        world.nowMs,
        id,
        `${was ?? "nothing"} → ${execution.status}, of ${execution.taskId}`,
      );
  }
}

function tellTask({ trace, nowMs }: World, was: Task | undefined, task: Task): void {
  if (task.cancelRequestedAtMs !== null && was?.cancelRequestedAtMs == null)
    trace.tell(nowMs, task.id, "a cancel is asked for");
  if (was?.status === task.status) return;
  const why = task.outcome === null ? "" : ` (${task.outcome.code})`;
  const to = `${task.status}, fence ${task.fence}${why}`;
  trace.tell(nowMs, task.id, `${was?.status ?? "nothing"} → ${to}`);
}
