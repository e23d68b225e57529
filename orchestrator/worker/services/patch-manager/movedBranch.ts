import { patchDetails } from "../../domain/auditDetails.ts";
import { stands } from "../../domain/guards.ts";
import { maxBranchMoves } from "../../domain/limits.ts";
import type { Forge } from "../../domain/ports/runner.ts";
import { go, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { branchOfOrder, parentOf } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRefOf } from "./deps.ts";
import { type BadEnd, endPatch } from "./endPatch.ts";

/** What a branch is that is not where its order left it: somebody has committed to it, or it is for a person. */
export type BranchMoved = { kind: "went_on"; to: string } | { kind: "conflict"; end: BadEnd };

export const conflict = (message: string): Extract<BranchMoved, { kind: "conflict" }> => ({
  kind: "conflict",
  end: { patchEvent: "find_conflict", taskEvent: "escalate", code: "conflict", message },
});

/** Only what goes on from where the order left its branch holds all that the order has delivered. */
export async function judgeMovedBranch(
  forge: Forge,
  { task, order, patch }: PatchBrief,
  current: string | null,
): Promise<BranchMoved> {
  const branch = branchOfOrder(task.orderId);
  const left = order.headCommit ?? parentOf(patch);
  const remedy = `Put ${left} back into it, or hand the work over as another order.`;
  if (current === null)
    return conflict(`The branch ${branch} is gone; this order left it at ${left}. ${remedy}`);
  if (!stands("moved_branch_goes_on") || (await forge.goesOn(task.source, current, left)))
    return { kind: "went_on", to: current };
  const where =
    order.headCommit === null ? "which its patch was made on" : "where this order left it";
  return conflict(
    `The branch ${branch} is at ${current}, which does not go on from ${left}, ${where}. ${remedy}`,
  );
}

/**
 * Takes the patch back to where its branch is now: it is applied, validated and, if need be, approved anew. The
 * commit that was made for the delivery is on no branch and is forgotten.
 */
export async function bringOnto(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  to: string,
): Promise<StepResult> {
  const { task, order, execution, patch } = brief;
  const branch = branchOfOrder(task.orderId);
  if ((attempt.branchMoves ?? 0) >= maxBranchMoves && stands("moves_bounded"))
    return endPatch(deps, attempt, brief, tooOften(branch, to));
  const from = parentOf(patch);
  const message = `The branch ${branch} has gone on from ${from} to ${to}; the patch is brought onto that.`;
  const brought = await deps.patchSets.bringOnto(patchRefOf(attempt, brief), {
    projectId: task.projectId,
    orderId: task.orderId,
    from: order.headCommit,
    to,
    nowMs: deps.clock.nowMs(),
    log: {
      actor: systemActor,
      action: "patch.brought_onto",
      message,
      details: patchDetails(
        execution,
        { ...patch, ontoCommit: to },
        { branch, from, to, voidTreeId: patch.treeId, voidCommitSha: patch.commitSha },
      ),
    },
  });
  // Lost: an earlier write had worked after all, and the next look at the row says so.
  if (brought.kind === "lost") return wait(attempt, 1_000);
  tellState(deps, attempt, { task: "patching", because: message });
  return go({ ...attempt, phase: "patching" });
}

const tooOften = (branch: string, to: string): BadEnd =>
  conflict(
    `The branch ${branch} has moved each of the ${maxBranchMoves + 1} times that the patch was to be delivered; it is at ${to}. Hand the work over again when nobody commits to it.`,
  ).end;

/** Its run was of another parent than the row names now; that of the row needs a run of its own. */
export const isOfAnotherParent = (attempt: Attempt, { patch }: PatchBrief): boolean =>
  (attempt.patchOnto ?? null) !== patch.ontoCommit && stands("applied_onto_head");
