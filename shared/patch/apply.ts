import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { isAlreadyApplied } from "./alreadyApplied.ts";
import { equalBytes } from "./bytes.ts";
import { changedLineFaults, type ReviewedFile, reviewPatchSet } from "./check.ts";
import { vacatedBy } from "./existence.ts";
import { byCodeUnit, orderFaults } from "./faults.ts";
import { fileOutcome } from "./fileOutcome.ts";
import { oversizeFault } from "./oversize.ts";
import { type SalvagedPatchSet, salvagePatchSet } from "./parse.ts";
import type { PatchPolicy } from "./policy.ts";
import { setFromSeedPayload } from "./seedPayload.ts";
import type { PatchShift } from "./textEdit.ts";
import type { FileConflict } from "./threeWay.ts";
import type { ReadFile, TreeFile } from "./treeFile.ts";
import { type TreeReader, treeReader } from "./treeReader.ts";

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
  const whole = { incompleteFiles: new Set<string>(), unreadableFiles: new Set<string>() };
  return applySalvaged({ set, patches, faults: [], ...whole }, readFile, policy, readBase);
}

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
  const early = [...salvaged.faults, ...review.faults];
  if (early.some(({ code }) => code === "too_large")) return refused(early);

  const tree = treeReader(readFile);
  const files = review.files.filter((one) => one.isReadable && !unreadableFiles.has(one.path));
  await Promise.all(files.flatMap(({ path, file }) => [tree(path), tree(file.from ?? path)]));
  if (early.length === 0 && (await isAlreadyApplied(files, tree)))
    return { kind: "already_applied" };

  const vacated = vacatedBy(review.files);
  const baseTree = readBase === undefined ? null : treeReader(readBase);
  const context = { set, tree, baseTree, policy, vacated, incompleteFiles };
  const outcomes = await outcomesOf(files, context);
  const lines = review.addedLines + outcomes.removedLines;
  const faults = [...early, ...outcomes.faults, ...changedLineFaults(lines, policy)];
  const { shifts, merged, conflicts } = outcomes;
  if (faults.length > 0)
    return { ...refused(faults), ...(conflicts.length > 0 ? { conflicts } : {}) };
  return {
    kind: "applied",
    files: await changesOf(outcomes.after, tree),
    ...(shifts.length > 0 ? { shifts } : {}),
    ...(merged.length > 0 ? { merged } : {}),
  };
}

async function outcomesOf(
  files: readonly ReviewedFile[],
  context: Parameters<typeof fileOutcome>[1],
) {
  const after = new Map<string, TreeFile | null>();
  const faults: PatchFault[] = [];
  const shifts: PatchShift[] = [];
  const merged: string[] = [];
  const conflicts: FileConflict[] = [];
  let removedLines = 0;
  for (const path of context.vacated.renamed) after.set(path, null);
  for (const file of files) {
    const outcome = await fileOutcome(file, context);
    if (outcome.kind === "refused") {
      for (const fault of outcome.faults) faults.push(fault);
      conflicts.push(...outcome.conflicts);
      continue;
    }
    after.set(file.path, outcome.after);
    for (const shift of outcome.shifts) shifts.push(shift);
    merged.push(...outcome.merged);
    removedLines += outcome.removedLines;
  }
  return { after, faults, shifts, merged, conflicts, removedLines };
}

/** By path, without those that end as they began. */
async function changesOf(after: ReadonlyMap<string, TreeFile | null>, tree: TreeReader) {
  const changes = new Map<string, TreeFile | null>();
  const byPath = [...after].sort(([a], [b]) => byCodeUnit(a, b));
  for (const [path, file] of byPath) {
    const before = (await tree(path)) ?? null;
    if (!isSameFile(before, file)) changes.set(path, file);
  }
  return changes;
}

export function isSameFile(before: TreeFile | null, after: TreeFile | null): boolean {
  if (before === null || after === null) return before === after;
  return before.mode === after.mode && equalBytes(before.bytes, after.bytes);
}

function refused(faults: readonly PatchFault[]): Extract<ApplyOutcome, { kind: "refused" }> {
  return { kind: "refused", faults: orderFaults(faults) };
}
