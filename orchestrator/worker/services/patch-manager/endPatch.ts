import type { PatchFault } from "../../../../shared/contracts/aiPatch.ts";
import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { OutcomeCode } from "../../domain/outcome.ts";
import { go, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { isFinalTask, type PatchSetEvent, taskTransitions } from "../../domain/states.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRefOf } from "./deps.ts";

export type BadEnd = {
  patchEvent: Extract<PatchSetEvent, "reject" | "find_conflict" | "fail">;
  /** A patch that cannot be delivered is a matter for a person. */
  taskEvent: "escalate" | "cancel_confirmed";
  code: OutcomeCode;
  message: string;
  faults?: PatchFault[];
  validation?: ValidationReport;
};

/** Ends a patch set that does not get into the code, and its task with it. */
export async function endPatch(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  end: BadEnd,
): Promise<StepResult> {
  const nowMs = deps.clock.nowMs();
  const outcome = { code: end.code, message: end.message };
  const status = taskTransitions[end.taskEvent].to;
  const notices = noticesOfEnd(deps.ids, brief.task, status, outcome, null, nowMs);
  const written = await deps.patchSets.end(patchRefOf(attempt, brief), {
    patchEvent: end.patchEvent,
    taskEvent: end.taskEvent,
    faults: end.faults ?? [],
    validation: end.validation ?? null,
    outcome,
    notices,
    nowMs,
    log: { actor: systemActor, action: `patch.${end.code}`, message: end.message },
  });
  if (written.kind === "done") {
    tellState(deps, attempt, { task: status, because: end.message });
    await deps.sendNotices(notices);
    return go({ ...attempt, phase: "archiving" });
  }
  return afterLostEnd(deps, attempt);
}

/** Either an earlier write of the end had worked, or the task has moved and the step is taken again. */
async function afterLostEnd(deps: PatchDeps, attempt: Attempt): Promise<StepResult> {
  const { organizationId, taskId, fence } = attempt;
  const now = await deps.executions.findBrief({ organizationId, taskId, fence });
  const over = now === null || isFinalTask(now.task.status) || now.task.fence !== fence;
  return go(over ? { ...attempt, phase: "archiving" } : attempt);
}

export const cancelledEnd: BadEnd = {
  patchEvent: "fail",
  taskEvent: "cancel_confirmed",
  code: "cancelled",
  message: "The task was cancelled before its patch was delivered.",
};
