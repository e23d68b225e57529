import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { noBytes } from "./bytes.ts";
import { decodeBlock, expectFault } from "./checkBlock.ts";
import { contentBytes, fileEntryFaults, takesPatches } from "./checkFile.ts";
import { pathFaults } from "./checkPaths.ts";
import { duplicateFinder } from "./duplicates.ts";
import { fileFault, type IndexedPatch, orderFaults, patchFault, setFault } from "./faults.ts";
import { fieldUseFaults, rangeFault } from "./fieldUse.ts";
import { type FileTask, fileTasks } from "./fileTasks.ts";
import { lineCount } from "./lines.ts";
import { oversizeFault } from "./oversize.ts";
import { limitsOf, type PatchPolicy } from "./policy.ts";

/** A patch that nothing is known against yet, with the bytes of its block. */
export type PreparedPatch = IndexedPatch & { block: Uint8Array };

export type ReviewedFile = FileTask & {
  /** The patches that are sound in themselves. */
  prepared: PreparedPatch[];
  /** True when nothing in its paths or its entry forbids to look at the file. */
  isReadable: boolean;
};

export type Review = { files: ReviewedFile[]; faults: PatchFault[]; addedLines: number };

/** Everything that can be said against a set without reading a file. */
export function checkPatchSet(set: PatchSet, policy: PatchPolicy): PatchFault[] {
  const oversize = oversizeFault(set, policy);
  if (oversize !== null) return [oversize];
  const patches = set.patches.map((patch, index) => ({ index, patch }));
  return orderFaults(reviewPatchSet(set, patches, policy).faults);
}

export function reviewPatchSet(
  set: Pick<PatchSet, "mode" | "coordinates" | "files">,
  patches: readonly IndexedPatch[],
  policy: PatchPolicy,
): Review {
  const tasks = fileTasks(set.files, patches);
  const faults = pathFaults(tasks, policy);
  const refusedPaths = faults.length > 0 ? new Set(faults.map(({ file }) => file)) : null;
  const files = tasks.map((task): ReviewedFile => {
    const { path, file, patches } = task;
    const entryFaults = fileEntryFaults(path, file, set.mode);
    for (const { code, message } of entryFaults) faults.push(fileFault(path, code, message));
    const isReadable = entryFaults.length === 0 && !refusedPaths?.has(path);
    const prepared = preparePatches(task, set, faults);
    return { path, file, patches, prepared, isReadable };
  });
  const size = sizeOf(files);
  addLimitFaults(faults, size, files.length, policy);
  return { files, faults, addedLines: size.lines };
}

function preparePatches(
  { file, patches }: FileTask,
  { mode, coordinates }: Pick<PatchSet, "mode" | "coordinates">,
  faults: PatchFault[],
): PreparedPatch[] {
  const firstLike = coordinates === "snapshot" ? duplicateFinder(patches) : null;
  const prepared: PreparedPatch[] = [];
  for (const item of patches) {
    const known = faults.length;
    addOwnFaults(faults, item, file);
    const decoded = decodeBlock(item, mode);
    if (!(decoded instanceof Uint8Array)) faults.push(decoded);
    const first = firstLike?.(item) ?? item.index;
    if (first !== item.index)
      faults.push(patchFault(item, "duplicate_patch", `says the same as patch ${first}`));
    if (faults.length === known && decoded instanceof Uint8Array)
      prepared.push({ index: item.index, patch: item.patch, block: decoded });
  }
  return prepared;
}

function addOwnFaults(faults: PatchFault[], item: IndexedPatch, file: FileTask["file"]): void {
  const { patch } = item;
  for (const { code, message } of fieldUseFaults(patch))
    faults.push(patchFault(item, code, message));
  const range = rangeFault(patch);
  if (range !== null) faults.push(patchFault(item, "out_of_range", range));
  if (!takesPatches(file))
    faults.push(patchFault(item, "unexpected_field", `${file.op} already says the whole outcome`));
  const expectation = expectFault(item);
  if (expectation !== null) faults.push(expectation);
}

function sizeOf(files: readonly ReviewedFile[]): { bytes: number; lines: number } {
  const size = { bytes: 0, lines: 0 };
  for (const { file, prepared } of files) {
    for (const { block } of prepared) addSize(size, block);
    if (file.content !== undefined) addSize(size, contentBytes(file.content) ?? noBytes);
  }
  return size;
}

function addSize(size: { bytes: number; lines: number }, text: Uint8Array): void {
  size.bytes += text.length;
  size.lines += lineCount(text);
}

function addLimitFaults(
  faults: PatchFault[],
  size: { bytes: number; lines: number },
  fileCount: number,
  policy: PatchPolicy,
): void {
  const limits = limitsOf(policy);
  addOverLimit(faults, "bytes", size.bytes, limits.patchBytes);
  addOverLimit(faults, "files", fileCount, limits.files);
  addChangedLineFault(faults, size.lines, policy);
}

export function addChangedLineFault(
  faults: PatchFault[],
  lines: number,
  policy: PatchPolicy,
): void {
  addOverLimit(faults, "changed lines", lines, limitsOf(policy).changedLines);
}

function addOverLimit(faults: PatchFault[], what: string, count: number, limit: number): void {
  if (count > limit) faults.push(setFault("too_large", `${count} ${what}, the limit is ${limit}`));
}
