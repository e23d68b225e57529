import {
  type PatchReport,
  type ValidationReport,
  validationReportSchema,
} from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { stands } from "../../domain/guards.ts";
import { readText } from "../../domain/keepText.ts";
import type { Attempt, ValidationRun } from "../../domain/ports/supervisorMemory.ts";
import type { PatchBrief, PatchDeps } from "./deps.ts";
import type { ValidatedBy } from "./keepOutputs.ts";
import { commandsOf } from "./patchRequest.ts";
import { newValidation, validationIdOf } from "./validateElsewhere.ts";

type Applied = Extract<PatchReport, { kind: "applied" }>;

/** `nowhere`: the commands were meant for a container, and there are none any more. */
export type FoundVerdict =
  | { kind: "verdict"; by: ValidatedBy; report: PatchReport }
  | { kind: "to_validate"; begin: ValidationRun }
  | { kind: "nowhere" };

/** What the project's commands have come to on the tree of this report: its own verdict, or that of a container. */
export async function findVerdict(
  deps: PatchDeps,
  by: ValidatedBy,
  attempt: Attempt,
  brief: PatchBrief,
  report: PatchReport,
): Promise<FoundVerdict> {
  if (report.kind !== "applied" || !lacksVerdict(brief, report))
    return { kind: "verdict", by, report };
  const { validation: run = null } = attempt;
  const isOfTree = run?.treeId === report.treeId || !stands("verdict_of_tree");
  if (run === null || run.report === null || !isOfTree) {
    // What a container has said stays said, also where the project wants no command any more.
    if (commandsOf(brief).length === 0) return { kind: "verdict", by, report };
    if (deps.validatorOf(attempt).kind === "runner_of_patches") return { kind: "nowhere" };
    return { kind: "to_validate", begin: newValidation(brief, report.treeId, run?.try ?? 0) };
  }
  const id = validationIdOf(attempt, brief, run);
  const validation = await verdictOf(deps, run.report);
  return {
    kind: "verdict",
    by: { ...by, id, place: "container" },
    report: { ...report, validation },
  };
}

/** A tree that is another than the noted one, or whose task has moved, is not tried any more. */
const lacksVerdict = (brief: PatchBrief, { treeId, validation }: Applied): boolean =>
  validation.status === "none" &&
  brief.patch.status === "validating" &&
  brief.patch.treeId === treeId;

async function verdictOf(
  { artifacts }: PatchDeps,
  stored: NonNullable<ValidationRun["report"]>,
): Promise<ValidationReport> {
  const text = await readText(artifacts, stored);
  if (text === null) throw new SwitchyardError("internal", "The stored verdict is missing.");
  return validationReportSchema.parse(JSON.parse(text));
}
