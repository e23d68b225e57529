import type { NumberedEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { PatchReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { patchDetails } from "../../domain/auditDetails.ts";
import { refusalsOf } from "../../domain/patchPolicy.ts";
import type { Runner } from "../../domain/ports/runner.ts";
import {
  go,
  type Step,
  type StepContext,
  type StepResult,
  wait,
} from "../../domain/ports/supervision.ts";
import type { Attempt, EventSource } from "../../domain/ports/supervisorMemory.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRefOf, patchRunIdOf } from "./deps.ts";
import { type BadEnd, cancelledEnd, endPatch } from "./endPatch.ts";
import { findVerdict } from "./findVerdict.ts";
import { noOutputs, type ValidatedBy } from "./keepOutputs.ts";
import { isOfAnotherParent } from "./movedBranch.ts";
import { afterPatchReport, endOfFaults } from "./patchReport.ts";
import { commandsOf, patchRequestOf } from "./patchRequest.ts";
import { readSet } from "./readSet.ts";
import { validateElsewhere } from "./validateElsewhere.ts";
import { releaseValidations } from "./validators.ts";

const watchedWaitMs = 25_000;
const maxPatchTries = 3;
/** A runner of patches that cannot be had for this long makes the patch a matter for a person. */
const giveUpMs = 30 * 60_000;
const busyPollMs = 2_000;
/** Whoever approves, refuses or cancels pokes the supervisor; this is for a poke that was lost. */
const approvalPollMs = 15 * 60_000;

/**
 * Takes a patch set from received to verified: checks what can be said of it without the code, has it applied to
 * a clean tree that the agent never touched, and has the project's commands run on an export of that tree.
 */
export const processPatch =
  (deps: PatchDeps): Step =>
  async (attempt, context) => {
    const { organizationId, taskId, fence } = attempt;
    const found = await deps.executions.findBrief({ organizationId, taskId, fence });
    if (found === null || found.patch === null || found.task.fence !== fence)
      return go({ ...attempt, phase: "archiving" });
    const brief = { ...found, patch: found.patch };
    if (brief.patch.status === "delivering") return go({ ...attempt, phase: "delivering" });
    if (brief.patch.status === "awaiting_approval") return wait(attempt, approvalPollMs);
    if (brief.patch.status !== "received" && brief.patch.status !== "validating")
      return go({ ...attempt, phase: "archiving" });
    try {
      return await processLive(deps, attempt, brief, context);
    } catch (error) {
      return afterError(deps, attempt, brief, error);
    }
  };

async function processLive(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  context: StepContext,
): Promise<StepResult> {
  const runner = deps.runner;
  if (runner === null)
    throw new SwitchyardError("runner_unreachable", "No runner of patches is configured.");
  if (isOfAnotherParent(attempt, brief)) return go(ontoTry(attempt, brief));
  if (brief.task.cancelRequestedAtMs !== null) return cancel(deps, runner, attempt, brief);
  const { validation = null } = attempt;
  if (validation !== null && validation.report === null)
    return validateElsewhere(deps, attempt, validation, brief, context);
  if (attempt.patchStarted) return followPatch(deps, runner, attempt, brief, context);

  const set = await readSet(deps.artifacts, brief.patch);
  const faults =
    set.kind === "parsed"
      ? refusalsOf(set.set, brief.project.settings, brief.task.allowedPaths)
      : set.faults;
  if (set.kind !== "parsed" || faults.length > 0)
    return endPatch(deps, attempt, brief, endOfFaults(faults));
  const asked = { ...attempt, patchAsked: true };
  deps.memory.save(asked);
  const isOwn = deps.validatorOf(attempt).kind === "runner_of_patches";
  await runner.startPatch(patchRunIdOf(attempt, brief), {
    ...patchRequestOf(deps, attempt, brief, set.set),
    validation: { commands: isOwn ? commandsOf(brief) : [] },
  });
  return go({ ...asked, patchStarted: true });
}

async function followPatch(
  deps: PatchDeps,
  runner: Runner,
  before: Attempt,
  brief: PatchBrief,
  context: StepContext,
): Promise<StepResult> {
  const id = patchRunIdOf(before, brief);
  const heard = await takeEvents(deps, runner, before, id, context);
  const { report, lastEvent } = await runner.patchResult(id);
  const appliedTreeId = report?.kind === "applied" ? report.treeId : heard;
  const attempt = { ...before, appliedTreeId };
  if (appliedTreeId !== null && brief.patch.status === "received") {
    await beginValidation(deps, attempt, brief, appliedTreeId);
    return go(attempt);
  }
  if (report === null || deps.memory.cursor(attempt.fence, sourceOf(attempt)) < lastEvent)
    return context.watched() && !context.signal.aborted
      ? go(attempt)
      : wait(attempt, deps.settings.heartbeatMs);
  // The runner went down in the middle. Nothing has left its machine, so the work is simply done again.
  if (report.kind === "stopped" && report.by === "shutdown" && hasTriesLeft(attempt))
    return go(nextTry(attempt));
  return afterReport(deps, { runner, id, place: "runner" }, attempt, brief, report);
}

/** A tree that is there and not yet tried is tried elsewhere; where that is nowhere any more, it is all done again. */
async function afterReport(
  deps: PatchDeps,
  by: ValidatedBy,
  attempt: Attempt,
  brief: PatchBrief,
  report: PatchReport,
): Promise<StepResult> {
  const found = await findVerdict(deps, by, attempt, brief, report);
  if (found.kind === "verdict")
    return afterPatchReport(deps, found.by, attempt, brief, found.report);
  if (found.kind === "to_validate")
    return go({ ...attempt, ...noOutputs, validation: found.begin });
  return hasTriesLeft(attempt) ? go(nextTry(attempt)) : endPatch(deps, attempt, brief, nowhere);
}

const nowhere: BadEnd = {
  patchEvent: "fail",
  taskEvent: "escalate",
  code: "runner_fault",
  message: "The project's commands could be run nowhere.",
};

const nextTry = (attempt: Attempt): Attempt => ({
  ...attempt,
  patchTry: attempt.patchTry + 1,
  patchAsked: false,
  patchStarted: false,
  appliedTreeId: null,
  ...noOutputs,
  validation: null,
});

/** A run for each parent, and for each as often as it may be cut off. */
const ontoTry = (attempt: Attempt, { patch }: PatchBrief): Attempt => ({
  ...nextTry(attempt),
  patchOnto: patch.ontoCommit,
  branchMoves: (attempt.branchMoves ?? 0) + 1,
});

const hasTriesLeft = ({ patchTry, branchMoves = 0 }: Attempt): boolean =>
  patchTry - branchMoves < maxPatchTries;

const sourceOf = ({ patchTry }: Attempt): EventSource => `patch-${patchTry}`;

/** Answers the tree that the runner made, if it has told so by now. A watched stream ends early to say it at once. */
async function takeEvents(
  deps: PatchDeps,
  runner: Runner,
  attempt: Attempt,
  id: string,
  { watched, signal }: StepContext,
): Promise<string | null> {
  const source = sourceOf(attempt);
  const applied = new AbortController();
  let treeId = attempt.appliedTreeId;
  const store = (events: NumberedEvent[]) => {
    const last = events.at(-1);
    if (last !== undefined) deps.memory.append(attempt.fence, source, last.number, events);
    for (const { event } of events) {
      if (event.type !== "patch_applied") continue;
      treeId = event.treeId;
      applied.abort();
    }
  };
  try {
    await runner.follow("patches", id, {
      after: deps.memory.cursor(attempt.fence, source),
      waitMs: watched() ? watchedWaitMs : 0,
      signal: AbortSignal.any([signal, applied.signal]),
      onEvents: store,
    });
  } catch (error) {
    if (!signal.aborted && !applied.signal.aborted) throw error;
  }
  return treeId;
}

/** Lost = it is validating already, or a cancel came first; the next look tells. */
async function beginValidation(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  treeId: string,
): Promise<void> {
  const begun = await deps.patchSets.beginValidation(patchRefOf(attempt, brief), {
    treeId,
    nowMs: deps.clock.nowMs(),
    log: {
      actor: systemActor,
      action: "patch.applied",
      message: `The patch makes the tree ${treeId}.`,
      details: patchDetails(brief.execution, brief.patch, { treeId }),
    },
  });
  if (begun.kind === "done") tellState(deps, attempt, { task: "validating" });
}

async function cancel(
  deps: PatchDeps,
  runner: Runner,
  attempt: Attempt,
  brief: PatchBrief,
): Promise<StepResult> {
  await releaseValidations(deps.validatorOf, attempt);
  if (!attempt.patchAsked) return endPatch(deps, attempt, brief, cancelledEnd);
  try {
    const id = patchRunIdOf(attempt, brief);
    const { state } = await runner.cancel("patches", id, attempt.patchTry, "cancel");
    if (state === "live") return wait(attempt, 500);
  } catch (error) {
    if (!(error instanceof SwitchyardError && error.code === "run_not_found")) throw error;
  }
  return endPatch(deps, attempt, brief, cancelledEnd);
}

/** Another patch set's run is no error; a runner that lost ours does it again; what lasts is for a person. */
async function afterError(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  error: unknown,
): Promise<StepResult> {
  if (!(error instanceof SwitchyardError)) throw error;
  if (error.code === "busy") return wait({ ...attempt, patchAsked: false }, busyPollMs);
  if (error.code === "run_not_found" && hasTriesLeft(attempt)) return go(nextTry(attempt));
  const forMs = deps.clock.nowMs() - (attempt.failingSinceMs ?? deps.clock.nowMs());
  const patienceMs = brief.task.cancelRequestedAtMs === null ? giveUpMs : deps.settings.lostAfterMs;
  if (error.retryable && forMs < patienceMs) throw error;
  if (brief.task.cancelRequestedAtMs !== null) return endPatch(deps, attempt, brief, cancelledEnd);
  return endPatch(deps, attempt, brief, {
    patchEvent: "fail",
    taskEvent: "escalate",
    code: "runner_fault",
    message: `The patch could not be applied: ${error.message}`,
  });
}
