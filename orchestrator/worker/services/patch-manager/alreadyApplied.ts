import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import { patchDetails } from "../../domain/auditDetails.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import { go, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { branchOfOrder, parentOf } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { forgeOf, type PatchBrief, type PatchDeps, patchRefOf } from "./deps.ts";
import { endPatch } from "./endPatch.ts";
import { judgeMovedBranch } from "./movedBranch.ts";

/**
 * Somebody else has made the same change on the order's branch, and the project's commands pass there: the task is
 * done without a commit, since one that changes nothing would say that something was delivered.
 */
export async function endAsApplied(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  validation: ValidationReport,
): Promise<StepResult> {
  const { task, execution, patch } = brief;
  const [branch, commit] = [branchOfOrder(task.orderId), parentOf(patch)];
  const current = await forgeOf(deps).readRef(task.source, `refs/heads/${branch}`);
  // Somebody may have taken it off again while the commands ran.
  const moved = current === commit ? null : await judgeMovedBranch(forgeOf(deps), brief, current);
  if (moved?.kind === "conflict") return endPatch(deps, attempt, brief, moved.end);
  const nowMs = deps.clock.nowMs();
  const outcome = {
    code: "already_applied" as const,
    message: `All that the patch changes is on ${branch} already, at ${commit}.`,
  };
  const notices = noticesOfEnd(deps.ids, task, "completed", outcome, null, nowMs);
  const written = await deps.patchSets.findApplied(patchRefOf(attempt, brief), {
    validation,
    outcome,
    notices,
    nowMs,
    log: {
      actor: systemActor,
      action: "patch.already_applied",
      message: outcome.message,
      details: patchDetails(execution, patch, {
        treeId: patch.treeId,
        validation: validation.status,
        branch,
      }),
    },
  });
  // Lost: a cancel came first, or an earlier write had worked after all; the next look at the row says which.
  if (written.kind === "lost") return wait(attempt, 1_000);
  tellState(deps, attempt, { task: "completed", because: outcome.message });
  await deps.sendNotices(notices);
  await deps.afterEnd(task);
  return go({ ...attempt, phase: "archiving" });
}
