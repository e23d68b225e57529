import type { PatchFault } from "../../../../shared/contracts/aiPatch.ts";
import type { ApprovalReason } from "../../../../shared/contracts/patch.ts";
import type { PatchReport, ValidationReport } from "../../../../shared/contracts/runner.ts";
import { approvalHolds } from "../../domain/approval.ts";
import { go, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { endAsApplied } from "./alreadyApplied.ts";
import { askForApproval } from "./approval.ts";
import { beginDelivery } from "./delivery.ts";
import type { PatchBrief, PatchDeps } from "./deps.ts";
import { type BadEnd, cancelledEnd, endPatch } from "./endPatch.ts";
import { keepOutputs, type ValidatedBy } from "./keepOutputs.ts";
import { readSet } from "./readSet.ts";

/** What follows from a finished run of a patch set, whose verdict came from `by`. */
export async function afterPatchReport(
  deps: PatchDeps,
  by: ValidatedBy,
  before: Attempt,
  brief: PatchBrief,
  reported: PatchReport,
): Promise<StepResult> {
  if (reported.kind !== "applied") return endPatch(deps, before, brief, endOf(reported, brief));
  if (brief.patch.treeId !== null && brief.patch.treeId !== reported.treeId)
    return endPatch(deps, before, brief, otherTree(brief.patch.treeId, reported.treeId));
  const kept = await keepOutputs(deps, by, before, reported.validation);
  if (kept.kind === "later") return kept.result;
  const { attempt, validation } = kept;
  if (validation.status === "failed")
    return endPatch(deps, attempt, brief, endOfValidation(validation));
  if (brief.patch.status !== "validating") return go(attempt);
  const report = { ...reported, validation };
  if (report.alreadyApplied === true) return endAsApplied(deps, attempt, brief, validation);
  const reasons = await reasonsOf(deps, brief, report);
  if (reasons.length > 0 && !approvalHolds(brief.patch))
    return askForApproval(deps, attempt, brief, { reasons, validation });
  return beginDelivery(deps, attempt, brief, report, reasons.length > 0);
}

/** Whoever was asked once has to approve, also when what changed since then would not be asked about. */
async function reasonsOf(
  deps: PatchDeps,
  brief: PatchBrief,
  { changes }: Extract<PatchReport, { kind: "applied" }>,
): Promise<ApprovalReason[]> {
  const read = await readSet(deps.artifacts, brief.patch);
  const now =
    read.kind === "parsed" ? deps.policy.approvalReasons(brief, read.set, changes ?? null) : [];
  return now.length > 0 ? now : (brief.patch.approvalReasons ?? []);
}

const otherTree = (noted: string, made: string): BadEnd => ({
  patchEvent: "fail",
  taskEvent: "escalate",
  code: "engine_mismatch",
  message: `The same patch has made two trees: ${noted} and ${made}.`,
});

function endOf(report: Exclude<PatchReport, { kind: "applied" }>, brief: PatchBrief): BadEnd {
  const escalate = { patchEvent: "fail", taskEvent: "escalate" } as const;
  switch (report.kind) {
    case "refused":
      return endOfRefusal(report, brief);
    case "engine_mismatch":
      return { ...escalate, code: "engine_mismatch", message: report.message };
    case "fault":
      return { ...escalate, code: "runner_fault", message: report.message };
    case "stopped":
      if (brief.task.cancelRequestedAtMs !== null) return cancelledEnd;
      return {
        ...escalate,
        code: "runner_fault",
        message: `The run of the patch was stopped (${report.by}).`,
      };
  }
}

/** Of a revert, and of a set that was brought onto another commit, it is known that it fits where it was made. */
function endOfRefusal(
  { faults, conflicts }: Extract<PatchReport, { kind: "refused" }>,
  { task, patch }: PatchBrief,
): BadEnd {
  const { ontoCommit } = patch;
  const end = endOfFaults(faults, task.reverts !== null || ontoCommit !== null);
  if (ontoCommit === null) return end;
  const message = `Its branch has gone on to ${ontoCommit}, and there it does not fit. ${end.message}`;
  return { ...end, message, conflicts: conflicts ?? [] };
}

const conflictCodes: readonly PatchFault["code"][] = [
  "stale",
  "ambiguous",
  "conflict",
  "unguarded",
];

/** What a set that is known to be sound meets as well when other work stands in its way. */
const soundConflictCodes: readonly PatchFault["code"][] = [
  ...conflictCodes,
  "missing_file",
  "file_exists",
];

/** Faults of the set: a moved base is a conflict, the rest is a bad patch. */
export function endOfFaults(faults: PatchFault[], isSound = false): BadEnd {
  const conflicting = isSound ? soundConflictCodes : conflictCodes;
  const [first] = faults;
  const message = `The patch was refused: ${faults.map(describe).slice(0, 5).join("; ")}.`;
  const base = { taskEvent: "escalate", message, faults } as const;
  if (first !== undefined && faults.every(({ code }) => conflicting.includes(code)))
    return { ...base, patchEvent: "find_conflict", code: "conflict", remediable: true };
  // A runner that protects more than this worker knows: it would refuse what an agent makes of it too.
  if (faults.some(({ code }) => code === "protected_path"))
    return { ...base, patchEvent: "reject", code: "protected_path" };
  return { ...base, patchEvent: "reject", code: "patch_rejected", remediable: true };
}

const describe = ({ file, code, message }: PatchFault): string =>
  `${file ?? "the set"}: ${message} (${code})`;

function endOfValidation(validation: ValidationReport): BadEnd {
  const failed = validation.commands.filter(({ status }) => status !== "passed");
  return {
    patchEvent: "reject",
    taskEvent: "escalate",
    code: "validation_failed",
    message: `The patched code does not pass: ${failed.map(({ name, status }) => `${name} ${status}`).join(", ")}.`,
    validation,
    remediable: true,
  };
}
