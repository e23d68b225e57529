import { noticesOfEnd } from "../../domain/notices.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import { systemActor } from "../../domain/tellState.ts";

/**
 * A message could not be processed in all its deliveries. A task that still waits is handed to a person; one that
 * is being worked on has a supervisor, which needs no message.
 */
export async function recordDeadLetter(
  deps: { tasks: TaskStore; clock: Clock; ids: Ids; log: Log },
  ref: TaskRef,
): Promise<void> {
  const task = await deps.tasks.find(ref);
  deps.log.error("task.dead_letter", { ...ref, status: task?.status ?? "unknown" });
  if (task === null || task.status !== "queued") return;
  const nowMs = deps.clock.nowMs();
  const outcome = {
    code: "dead_letter" as const,
    message:
      "The task's message could not be processed. Look at the log, then send the task again.",
  };
  await deps.tasks.endWaiting(ref, {
    event: "escalate",
    outcome,
    notices: noticesOfEnd(deps.ids, task, "escalated", outcome, null, nowMs),
    nowMs,
    log: { actor: systemActor, action: "task.escalated", message: outcome.message },
  });
}
