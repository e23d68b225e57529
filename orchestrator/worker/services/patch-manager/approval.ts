import type { ApprovalReason } from "../../../../shared/contracts/patch.ts";
import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import { patchDetails } from "../../domain/auditDetails.ts";
import { inputWaitMs } from "../../domain/limits.ts";
import { go, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRefOf } from "./deps.ts";

/** The verified patch waits for a person; its supervisor looks again when it is poked, or now and then. */
export async function askForApproval(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  { reasons, validation }: { reasons: ApprovalReason[]; validation: ValidationReport },
): Promise<StepResult> {
  const nowMs = deps.clock.nowMs();
  const text = textOf(reasons);
  const asked = await deps.patchSets.awaitApproval(patchRefOf(attempt, brief), {
    reasons,
    validation,
    waiting: { kind: "approval", text, sinceMs: nowMs, expiresAtMs: nowMs + inputWaitMs },
    nowMs,
    log: {
      actor: systemActor,
      action: "patch.awaits_approval",
      message: text,
      details: {
        ...patchDetails(brief.execution, brief.patch, { treeId: brief.patch.treeId }),
        reasons,
      },
    },
  });
  if (asked.kind === "done") tellState(deps, attempt, { task: "waiting_input", because: text });
  return go(attempt);
}

const shownReasons = 5;

function textOf(reasons: readonly ApprovalReason[]): string {
  const shown = reasons
    .slice(0, shownReasons)
    .map(({ code, file, message }) => `${file ?? "the set"}: ${message} (${code})`);
  const more = reasons.length - shown.length;
  return `${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}
