import type { Principal } from "../../../../shared/contracts/identity.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { taskNotFound } from "../../domain/notFound.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { Supervisors, TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { TaskStore, TaskStory } from "../../domain/ports/taskStore.ts";
import { isWaitingTask } from "../../domain/states.ts";
import { branchOfOrder, type Task } from "../../domain/task.ts";
import { askForLook } from "./answerTask.ts";

export type CancelDeps = {
  tasks: TaskStore;
  supervisors: Supervisors;
  queue: TaskQueue;
  clock: Clock;
  ids: Ids;
  log: Log;
};

/** `cancelled` = it has ended; `requested` = its supervisor is ending it. */
export type CancelAnswer = { kind: "cancelled" | "requested"; task: Task };

/**
 * Cancels a task. One that waits ends at once; one that is being worked on is asked to end, and its supervisor
 * confirms it. From `delivering` on it is too late, and the answer names the commit.
 */
export async function cancelTask(
  deps: CancelDeps,
  principal: Principal,
  taskId: string,
): Promise<CancelAnswer> {
  const ref = { organizationId: principal.organizationId, taskId };
  const log = {
    actor: principal.id,
    action: "task.cancel_requested",
    message: `${principal.id} asked to cancel the task.`,
  };
  // A task can move between two looks, so both ways are tried again a few times.
  for (let look = 0; look < 3; look += 1) {
    const story = await deps.tasks.findStory(ref);
    if (story === null) throw taskNotFound(taskId);
    const settled = alreadySettled(story);
    if (settled !== null) return settled;

    if ((await cancelWaiting(deps, ref, story.task, log)).kind === "done")
      return answer(deps, ref, "cancelled");
    const requested = await deps.tasks.requestCancel(ref, deps.clock.nowMs(), log);
    if (requested.kind === "done") return answer(deps, ref, "requested");
  }
  throw new SwitchyardError("store_unavailable", "The task keeps moving. Try again in a moment.");
}

function alreadySettled({ task, patch }: TaskStory): CancelAnswer | null {
  if (task.status === "cancelled") return { kind: "cancelled", task };
  if (task.status === "failed" || task.status === "escalated")
    throw new SwitchyardError("already_final", `The task is ${task.status} already.`);
  if (task.status === "delivering" || task.status === "completed") throw tooLate(task, patch);
  const isHeard = task.cancelRequestedAtMs !== null && !isWaitingTask(task.status);
  return isHeard ? { kind: "requested", task } : null;
}

function tooLate(task: Task, patch: TaskStory["patch"]): SwitchyardError {
  const commit = patch?.commitSha ?? null;
  const verb = patch?.status === "delivered" ? "is" : "will be";
  const where =
    commit === null ? "" : ` Its commit ${verb} ${commit} on ${branchOfOrder(task.orderId)}.`;
  return new SwitchyardError(
    "too_late",
    `The task is ${task.status}, it cannot be cancelled any more.${where}`,
  );
}

function cancelWaiting(
  deps: CancelDeps,
  ref: TaskRef,
  task: Task,
  log: Parameters<TaskStore["requestCancel"]>[2],
) {
  const nowMs = deps.clock.nowMs();
  const outcome = { code: "cancelled" as const, message: log.message };
  return deps.tasks.endWaiting(ref, {
    event: "cancel_waiting",
    outcome,
    notices: noticesOfEnd(deps.ids, task, "cancelled", outcome, null, nowMs),
    nowMs,
    log: { ...log, action: "task.cancelled" },
  });
}

/** The supervisor hears of it at once; if it cannot be reached now, its own heartbeat or the sweep finds it. */
async function answer(
  deps: CancelDeps,
  ref: TaskRef,
  kind: CancelAnswer["kind"],
): Promise<CancelAnswer> {
  try {
    await deps.supervisors.poke(ref);
  } catch (error) {
    deps.log.warn("cancel.supervisor_not_reached", { ...ref, error });
  }
  const task = await deps.tasks.find(ref);
  if (task === null) throw taskNotFound(ref.taskId);
  if (task.status === "remediating") await askForLook(deps, ref);
  if (task.status === "cancelled" && task.parentId !== null)
    await askForLook(deps, { organizationId: ref.organizationId, taskId: task.parentId });
  return { kind: task.status === "cancelled" ? "cancelled" : kind, task };
}
