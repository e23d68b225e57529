import { SwitchyardError } from "../../../../shared/errors.ts";
import { stands } from "../../domain/guards.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskStory } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { isFinalTask, taskTransitions } from "../../domain/states.ts";
import type { Outcome, Task } from "../../domain/task.ts";
import { systemActor } from "../../domain/tellState.ts";
import { askForLook } from "./answerTask.ts";
import { type CancelDeps, cancelTask } from "./cancelTask.ts";
import { deliveredPatch } from "./deliveredPatch.ts";

export type TendDeps = CancelDeps & { settings: Pick<Settings, "resendAfterMs"> };

/** Looks at a task that waits for a time, a person or a child, and moves it on when the wait is over. */
export async function tendTask(deps: TendDeps, ref: TaskRef): Promise<void> {
  const task = await deps.tasks.find(ref);
  if (task === null) return;
  // The cancel of a task that it remediates has reached it while nobody worked on it.
  if (task.cancelRequestedAtMs !== null && mayBeCancelledAtOnce.includes(task.status))
    return cancelChild(deps, task);
  if (task.status === "parked") return unparkWhenDue(deps, ref, task);
  if (task.status === "waiting_input") return escalateWhenExpired(deps, ref, task);
  if (task.status === "remediating") return followChild(deps, ref, task);
}

const mayBeCancelledAtOnce: readonly Task["status"][] = taskTransitions.cancel_waiting.from;

async function unparkWhenDue(deps: TendDeps, ref: TaskRef, task: Task): Promise<void> {
  const nowMs = deps.clock.nowMs();
  if (task.notBeforeMs !== null && task.notBeforeMs > nowMs && stands("unpark_when_due")) return;
  const unparked = await deps.tasks.unpark(ref, {
    fence: task.fence,
    nowMs,
    sweepAtMs: nowMs + deps.settings.resendAfterMs,
    log: { actor: systemActor, action: "task.unparked", message: "Its wait is over." },
  });
  if (unparked.kind === "done") await askForLook(deps, ref);
}

async function escalateWhenExpired(deps: TendDeps, ref: TaskRef, task: Task): Promise<void> {
  const nowMs = deps.clock.nowMs();
  if (task.waiting === null || task.waiting.expiresAtMs > nowMs || !stands("input_expires")) return;
  const outcome: Outcome = {
    code: "input_expired",
    message: `Nobody answered in time (${task.waiting.kind}): ${task.waiting.text}`,
  };
  const ended = await deps.tasks.endWaiting(ref, {
    event: "escalate",
    fence: task.fence,
    outcome,
    notices: noticesOfEnd(deps.ids, task, "escalated", outcome, null, nowMs),
    nowMs,
    log: { actor: systemActor, action: "task.escalated", message: outcome.message },
  });
  // An approval has a supervisor that waits with the patch.
  if (ended.kind === "done") await deps.supervisors.poke(ref);
}

/** The parent takes what its child came to; a cancel of the parent is a cancel of the child. */
async function followChild(deps: TendDeps, ref: TaskRef, parent: Task): Promise<void> {
  const child = await deps.tasks.findChild(ref);
  if (child === null)
    throw new SwitchyardError("internal", "A task is remediated by no child: run the doctor.");
  if (!isFinalTask(child.status) && stands("adopt_final_child")) {
    if (parent.cancelRequestedAtMs !== null && stands("cancel_child"))
      await cancelChild(deps, child);
    return;
  }
  const childRef = { organizationId: child.organizationId, taskId: child.id };
  const story = await deps.tasks.findStory(childRef);
  if (story !== null) await adopt(deps, ref, parent, story);
}

async function cancelChild(deps: TendDeps, child: Task): Promise<void> {
  const actor = { organizationId: child.organizationId, id: systemActor, role: "member" as const };
  try {
    await cancelTask(deps, actor, child.id);
  } catch (error) {
    // Too late for the child: the parent takes what it delivers.
    if (!(error instanceof SwitchyardError) || error.retryable) throw error;
  }
}

const eventOfChild = {
  completed: "adopt_child",
  failed: "fail",
  escalated: "escalate",
  cancelled: "cancel_confirmed",
} as const;

/** "Nothing to change" is no answer to a change that could not be delivered: a person looks at it. */
function eventOf({ status, outcome }: Task) {
  if (!isFinalTask(status)) return "adopt_child";
  return outcome?.code === "no_changes" ? "escalate" : eventOfChild[status];
}

async function adopt(deps: TendDeps, ref: TaskRef, parent: Task, story: TaskStory): Promise<void> {
  const { task: child } = story;
  const event = eventOf(child);
  const status = taskTransitions[event].to;
  const nowMs = deps.clock.nowMs();
  const told = child.outcome ?? { code: "incomplete", message: "Its remediation said nothing." };
  const outcome: Outcome = { code: told.code, message: `${told.message} (by ${child.id})` };
  const commit = (await deliveredPatch(deps.tasks, story))?.commitSha ?? null;
  const ended = await deps.tasks.endParent(ref, {
    event,
    outcome,
    notices: noticesOfEnd(deps.ids, parent, status, outcome, commit, nowMs),
    nowMs,
    log: {
      actor: systemActor,
      action: `task.${status}`,
      message: `Its remediation ${child.id} is ${child.status}.`,
    },
  });
  if (ended.kind === "done" && parent.parentId !== null)
    await askForLook(deps, { organizationId: ref.organizationId, taskId: parent.parentId });
}
