import type { MoveRefAnswer } from "../../../../shared/contracts/forgeRefs.ts";
import type { PatchReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { rootOf } from "../../domain/ancestors.ts";
import { auditTrailer } from "../../domain/auditChain.ts";
import { patchDetails } from "../../domain/auditDetails.ts";
import { commitMessage } from "../../domain/commitMessage.ts";
import { stands } from "../../domain/guards.ts";
import { readText } from "../../domain/keepText.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { Forge } from "../../domain/ports/runner.ts";
import { go, type Step, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { branchOfOrder, parentOf } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { forgeOf, type PatchBrief, type PatchDeps, patchRefOf, patchRunIdOf } from "./deps.ts";
import { endPatch } from "./endPatch.ts";
import { type BranchMoved, bringOnto, conflict, judgeMovedBranch } from "./movedBranch.ts";

const author = { name: "Switchyard", email: "switchyard@noreply.invalid" };

/**
 * Makes the commit of exactly the verified tree, and opens the gate to the one move of the ref. The commit's
 * bytes depend on stored values only, so making it again after a crash makes the same one.
 */
export async function beginDelivery(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  report: Extract<PatchReport, { kind: "applied" }>,
  needsApproval: boolean,
): Promise<StepResult> {
  const { task, execution, patch } = brief;
  const root = await rootOf((of) => deps.tasks.findContext(of), task);
  const commitSha = await forgeOf(deps).commit({
    source: task.source,
    patchSetId: patchRunIdOf(attempt, brief),
    treeId: report.treeId,
    parent: parentOf(patch),
    message: commitMessage({
      prompt: (await readText(deps.artifacts, root.prompt)) ?? "",
      taskId: task.id,
      orderId: task.orderId,
      executionId: execution.id,
      patchSetId: patch.id,
      agent: execution.provider,
      model: execution.config.model.value,
      audit: patch.auditHead === null ? null : auditTrailer(task.projectId, patch.auditHead),
    }),
    author,
    atMs: execution.settledAtMs ?? execution.createdAtMs,
  });
  const ref = patchRefOf(attempt, brief);
  const begun = await deps.patchSets.beginDelivery(ref, {
    commitSha,
    committed: {
      baseCommit: patch.baseCommit,
      ontoCommit: patch.ontoCommit,
      treeId: report.treeId,
    },
    needsApproval,
    validation: report.validation,
    nowMs: deps.clock.nowMs(),
    log: {
      actor: systemActor,
      action: "patch.verified",
      message: `Validation: ${report.validation.status}. The commit will be ${commitSha}.`,
      details: patchDetails(execution, patch, {
        treeId: report.treeId,
        commitSha,
        validation: report.validation.status,
        auditHead: patch.auditHead,
      }),
    },
  });
  // Lost: a cancel came first, an earlier write had worked, or what was approved has changed; the same step finds
  // out which.
  if (begun.kind === "lost") return go(attempt);
  tellState(deps, attempt, { task: "delivering" });
  return go({ ...attempt, phase: "delivering" });
}

/** Moves the order's branch to the commit, once, and only from where it was. After a crash the ref is read first. */
export const deliverPatch =
  (deps: PatchDeps): Step =>
  async (attempt) => {
    const { organizationId, taskId, fence } = attempt;
    const found = await deps.executions.findBrief({ organizationId, taskId, fence });
    if (found === null || found.patch === null) return go({ ...attempt, phase: "archiving" });
    // It is over, or the branch had moved and the patch went back; whichever it is, that step finds out.
    if (found.patch.status !== "delivering") return go({ ...attempt, phase: "patching" });
    const brief = { ...found, patch: found.patch };
    const commitSha = found.patch.commitSha;
    if (commitSha === null) throw new SwitchyardError("internal", "The commit's id is missing.");
    const moved = await moveOrGiveUp(deps, attempt, brief, commitSha);
    if (moved.kind === "conflict") return endPatch(deps, attempt, brief, moved.end);
    if (moved.kind === "went_on") return bringOnto(deps, attempt, brief, moved.to);
    return writeDelivered(deps, attempt, brief, commitSha);
  };

/** A branch that cannot be moved for this long is a matter for a person. */
const giveUpMs = 30 * 60_000;

async function moveOrGiveUp(
  deps: PatchDeps,
  { failingSinceMs }: Attempt,
  brief: PatchBrief,
  commitSha: string,
): Promise<BranchMove> {
  try {
    return await moveBranch(forgeOf(deps), brief, commitSha);
  } catch (error) {
    if (failingSinceMs === null || deps.clock.nowMs() - failingSinceMs < giveUpMs) throw error;
    const because = error instanceof SwitchyardError ? error.message : "an unexpected error";
    return conflict(
      `The branch could not be moved to ${commitSha} for ${giveUpMs / 60_000} minutes: ${because} Look whether it is there.`,
    );
  }
}

type BranchMove = { kind: "moved" } | BranchMoved;

async function moveBranch(forge: Forge, brief: PatchBrief, commitSha: string): Promise<BranchMove> {
  const { task, order, patch } = brief;
  const ref = `refs/heads/${branchOfOrder(task.orderId)}`;
  if (stands("read_ref_first") && (await forge.readRef(task.source, ref)) === commitSha)
    return { kind: "moved" };
  const parent = parentOf(patch);
  if (order.headCommit !== null && order.headCommit !== parent && stands("order_in_turn"))
    return conflict(
      `The order has gone on to ${order.headCommit}; the patch was made on ${parent}.`,
    );
  try {
    const from = stands("move_ref_compared")
      ? order.headCommit
      : await forge.readRef(task.source, ref);
    const answer = await forge.moveRef(task.source, ref, from, commitSha);
    if (wasMoved(commitSha, answer)) return { kind: "moved" };
    return await judgeMovedBranch(forge, brief, answer.current);
  } catch (error) {
    if (error instanceof SwitchyardError && !error.retryable) return conflict(error.message);
    throw error;
  }
}

/** A ref that is at the commit, or went on from it, was moved by an earlier call whose answer was lost. */
function wasMoved(
  commitSha: string,
  answer: MoveRefAnswer,
): answer is Extract<MoveRefAnswer, { kind: "moved" }> {
  if (answer.kind === "moved") return true;
  const isThere = answer.current === commitSha || answer.contains === true;
  return isThere && stands("read_ref_first");
}

async function writeDelivered(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  commitSha: string,
): Promise<StepResult> {
  const { task } = brief;
  const nowMs = deps.clock.nowMs();
  const branch = branchOfOrder(task.orderId);
  const outcome = { code: "delivered" as const, message: `Commit ${commitSha} on ${branch}.` };
  const notices = noticesOfEnd(deps.ids, task, "completed", outcome, commitSha, nowMs);
  const written = await deps.patchSets.deliver(patchRefOf(attempt, brief), {
    projectId: task.projectId,
    orderId: task.orderId,
    commitSha,
    outcome,
    notices,
    nowMs,
    log: {
      actor: systemActor,
      action: "patch.delivered",
      message: outcome.message,
      details: patchDetails(brief.execution, brief.patch, { commitSha, branch }),
    },
  });
  // Lost: an earlier write had worked after all, and the next look at the row says so.
  if (written.kind === "lost") return wait(attempt, 1_000);
  tellState(deps, attempt, { task: "completed", because: outcome.message });
  await deps.sendNotices(notices);
  await deps.afterEnd(task);
  return go({ ...attempt, phase: "archiving" });
}
