import type { Log } from "../../domain/ports/log.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Task } from "../../domain/task.ts";

/**
 * A task has ended: the one that it remediates is looked at, and the next one of its order may begin. A message
 * that is lost costs time only.
 */
export async function afterEnd(
  deps: { tasks: TaskStore; queue: TaskQueue; log: Log },
  { organizationId, parentId, projectId, orderId }: Task,
): Promise<void> {
  try {
    if (parentId !== null) await deps.queue.send({ organizationId, taskId: parentId });
    const next = await deps.tasks.nextOfOrder({ organizationId, projectId, orderId });
    if (next !== null) await deps.queue.send(next);
  } catch (error) {
    deps.log.warn("after_end.failed", { organizationId, orderId, parentId, error });
  }
}
