import type { PatchFault } from "../../../../shared/contracts/aiPatch.ts";
import type { ReportedConflict } from "../../../../shared/contracts/reportedConflict.ts";
import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import { patchDetails } from "../../domain/auditDetails.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { OutcomeCode } from "../../domain/outcome.ts";
import { go, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { isFinalTask, type PatchSetEvent, taskTransitions } from "../../domain/states.ts";
import type { LogEntry, Task } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRefOf } from "./deps.ts";
import { type Remediation, remediationOf } from "./remediation.ts";

export type BadEnd = {
  patchEvent: Extract<PatchSetEvent, "reject" | "find_conflict" | "fail">;
  /** A patch that cannot be delivered is a matter for a person. */
  taskEvent: "escalate" | "cancel_confirmed";
  code: OutcomeCode;
  message: string;
  faults?: PatchFault[];
  /** What could not be merged. */
  conflicts?: ReportedConflict[];
  validation?: ValidationReport;
  /** An agent may be able to put it right. */
  remediable?: boolean;
};

/** Ends a patch set that does not get into the code, and its task with it. */
export async function endPatch(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  end: BadEnd,
): Promise<StepResult> {
  const nowMs = deps.clock.nowMs();
  const remediation = await remediationOf(deps, brief, end, nowMs);
  const child = remediation.kind === "child" ? remediation.child : null;
  const outcome = { code: end.code, message: messageOf(end, remediation) };
  const taskEvent = child === null ? end.taskEvent : "remediate";
  const status = taskTransitions[taskEvent].to;
  const notices = isFinalTask(status)
    ? noticesOfEnd(deps.ids, brief.task, status, outcome, null, nowMs)
    : [];
  const written = await deps.patchSets.end(patchRefOf(attempt, brief), {
    patchEvent: end.patchEvent,
    taskEvent,
    child,
    faults: end.faults ?? [],
    validation: end.validation ?? null,
    outcome,
    notices,
    nowMs,
    log: logOf(brief, end, child?.task.id ?? null),
  });
  if (written.kind === "done") {
    tellState(deps, attempt, { task: status, because: end.message });
    await deps.sendNotices(notices);
    if (child === null) await deps.afterEnd(brief.task);
    else await askForChild(deps, child.task);
    return go({ ...attempt, phase: "archiving" });
  }
  return afterLostEnd(deps, attempt);
}

/** Whoever has to take over is told what was tried, and why no agent is asked any more. */
const messageOf = ({ message }: BadEnd, remediation: Remediation): string =>
  remediation.kind === "none" && remediation.because !== null
    ? `${message} ${remediation.because}`
    : message;

const logOf = (
  { execution, patch }: PatchBrief,
  { code, message, faults = [], validation }: BadEnd,
  childTaskId: string | null,
): LogEntry => ({
  actor: systemActor,
  action: `patch.${code}`,
  message: childTaskId === null ? message : `${message} ${childTaskId} is to put it right.`,
  details: patchDetails(execution, patch, {
    result: code,
    faults: faults.length,
    validation: validation?.status ?? null,
    childTaskId,
  }),
});

/** The message is a matter of speed: the sweep finds a child that got none. */
async function askForChild(deps: PatchDeps, { organizationId, id: taskId }: Task): Promise<void> {
  try {
    await deps.lookAgain({ organizationId, taskId }, 0);
  } catch (error) {
    deps.log.warn("remediation.message_not_sent", { organizationId, taskId, error });
  }
}

/** Either an earlier write of the end had worked, or the task has moved and the step is taken again. */
async function afterLostEnd(deps: PatchDeps, attempt: Attempt): Promise<StepResult> {
  const { organizationId, taskId, fence } = attempt;
  const now = await deps.executions.findBrief({ organizationId, taskId, fence });
  const over =
    now === null ||
    isFinalTask(now.task.status) ||
    now.task.status === "remediating" ||
    now.task.fence !== fence;
  return over ? go({ ...attempt, phase: "archiving" }) : wait(attempt, 1_000);
}

export const cancelledEnd: BadEnd = {
  patchEvent: "fail",
  taskEvent: "cancel_confirmed",
  code: "cancelled",
  message: "The task was cancelled before its patch was delivered.",
};
