import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { isAlreadyApplied, saysHowItEnds } from "./alreadyApplied.ts";
import { equalBytes } from "./bytes.ts";
import { addChangedLineFault, reviewPatchSet } from "./check.ts";
import { type Vacated, vacatedBy } from "./existence.ts";
import { byCodeUnit, orderFaults } from "./faults.ts";
import { type FileOutcome, fileOutcome } from "./fileOutcome.ts";
import { type KnownTree, readTree } from "./knownTree.ts";
import { oversizeFault } from "./oversize.ts";
import { type SalvagedPatchSet, salvagePatchSet } from "./parse.ts";
import type { PatchPolicy } from "./policy.ts";
import { setFromSeedPayload } from "./seedPayload.ts";
import { isPending } from "./soon.ts";
import type { PatchShift } from "./textEdit.ts";
import type { FileConflict } from "./threeWay.ts";
import type { ReadFile, TreeFile } from "./treeFile.ts";
import { treeReader } from "./treeReader.ts";

export type { PatchPolicy } from "./policy.ts";
export type { TreeFile } from "./treeFile.ts";

export type ApplyOutcome =
  | AppliedOutcome
  | { kind: "already_applied" }
  /** `conflicts` are there when a three-way merge was tried, one for each file that it could not merge. */
  | { kind: "refused"; faults: PatchFault[]; conflicts?: FileConflict[] };

export type AppliedOutcome = {
  kind: "applied";
  /** Only files that change; null = deleted. */
  files: Map<string, TreeFile | null>;
  /** There when a patch was moved to what it expects. */
  shifts?: PatchShift[];
  /** Paths of files that changed since, and that a three-way merge brought together with the set. */
  merged?: string[];
};

/**
 * Computes what a set makes of a tree, all of it or nothing. Nothing is written. `readBase` answers with the files
 * that the set was made for; with it, a file that changed since is merged where nothing else finds a place.
 */
export function applyPatchSet(
  set: PatchSet,
  readFile: ReadFile,
  policy: PatchPolicy,
  readBase?: ReadFile,
): Promise<ApplyOutcome> {
  const oversize = oversizeFault(set, policy);
  if (oversize !== null) return Promise.resolve(refused([oversize]));
  const patches = set.patches.map((patch, index) => ({ index, patch }));
  const whole = { incompleteFiles: noFiles, unreadableFiles: noFiles };
  return applySalvaged({ set, patches, faults: [], ...whole }, readFile, policy, readBase);
}

const noFiles: ReadonlySet<string> = new Set<string>();

/** The same from unchecked input, a set or a payload of the seed plan; faults of every stage come back together. */
export function applyPatchInput(
  input: unknown,
  readFile: ReadFile,
  policy: PatchPolicy,
  readBase?: ReadFile,
): Promise<ApplyOutcome> {
  const set = setFromSeedPayload(input);
  const oversize = oversizeFault(set, policy);
  if (oversize !== null) return Promise.resolve(refused([oversize]));
  return applySalvaged(salvagePatchSet(set), readFile, policy, readBase);
}

async function applySalvaged(
  salvaged: SalvagedPatchSet,
  readFile: ReadFile,
  policy: PatchPolicy,
  readBase: ReadFile | undefined,
): Promise<ApplyOutcome> {
  const { set, patches, incompleteFiles, unreadableFiles } = salvaged;
  if (set === null) return refused(salvaged.faults);
  const review = reviewPatchSet(set, patches, policy);
  const early = salvaged.faults.concat(review.faults);
  if (early.some(({ code }) => code === "too_large")) return refused(early);

  const files = review.files.filter((one) => one.isReadable && !unreadableFiles.has(one.path));
  const reading = readTree(files, readFile);
  const tree = isPending(reading) ? await reading : reading;
  const mayBeApplied = early.length === 0 && saysHowItEnds(files);
  if (mayBeApplied && (await isAlreadyApplied(files, tree))) return { kind: "already_applied" };

  const vacated = vacatedBy(review.files);
  const baseTree = readBase === undefined ? null : treeReader(readBase);
  const context = { set, tree, baseTree, policy, vacated, incompleteFiles };
  const outcomes = noOutcomes(vacated);
  for (const file of files) {
    const outcome = fileOutcome(file, context);
    addOutcome(outcomes, file.path, isPending(outcome) ? await outcome : outcome);
  }
  const faults = early.concat(outcomes.faults);
  addChangedLineFault(faults, review.addedLines + outcomes.removedLines, policy);
  return faults.length > 0 ? refusedFor(faults, outcomes) : appliedAs(outcomes, tree);
}

/** What came of the files of a set. A file that is renamed away is gone unless another takes its place. */
type Outcomes = {
  after: Map<string, TreeFile | null>;
  faults: PatchFault[];
  shifts: PatchShift[];
  merged: string[];
  conflicts: FileConflict[];
  removedLines: number;
};

function noOutcomes({ renamed }: Vacated): Outcomes {
  const after = new Map<string, TreeFile | null>();
  for (const path of renamed) after.set(path, null);
  return { after, faults: [], shifts: [], merged: [], conflicts: [], removedLines: 0 };
}

function addOutcome(outcomes: Outcomes, path: string, outcome: FileOutcome): void {
  if (outcome.kind === "refused") {
    for (const fault of outcome.faults) outcomes.faults.push(fault);
    outcomes.conflicts.push(...outcome.conflicts);
    return;
  }
  outcomes.after.set(path, outcome.after);
  for (const shift of outcome.shifts) outcomes.shifts.push(shift);
  outcomes.merged.push(...outcome.merged);
  outcomes.removedLines += outcome.removedLines;
}

function refusedFor(faults: readonly PatchFault[], { conflicts }: Outcomes): ApplyOutcome {
  const refusal = refused(faults);
  if (conflicts.length > 0) refusal.conflicts = conflicts;
  return refusal;
}

function appliedAs({ after, shifts, merged }: Outcomes, tree: KnownTree): AppliedOutcome {
  const applied: AppliedOutcome = { kind: "applied", files: changesOf(after, tree) };
  if (shifts.length > 0) applied.shifts = shifts;
  if (merged.length > 0) applied.merged = merged;
  return applied;
}

/** By path, without those that end as they began. */
function changesOf(after: Map<string, TreeFile | null>, tree: KnownTree) {
  let last = "";
  let isSorted = true;
  for (const [path, file] of after) {
    if (path < last) isSorted = false;
    last = path;
    if (isSameFile(tree.get(path) ?? null, file)) after.delete(path);
  }
  return isSorted ? after : new Map([...after].sort(([a], [b]) => byCodeUnit(a, b)));
}

export function isSameFile(before: TreeFile | null, after: TreeFile | null): boolean {
  if (before === null || after === null) return before === after;
  return before.mode === after.mode && equalBytes(before.bytes, after.bytes);
}

function refused(faults: readonly PatchFault[]): Extract<ApplyOutcome, { kind: "refused" }> {
  return { kind: "refused", faults: orderFaults(faults) };
}
