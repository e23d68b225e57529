import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { textEncoderFor } from "./bytes.ts";
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
  const refusedPaths = new Set(faults.map(({ file }) => file));
  const encode = textEncoderFor(patches.reduce((sum, { patch }) => sum + patch.block.length, 0));
  const files = tasks.map((task): ReviewedFile => {
    const entryFaults = fileEntryFaults(task.path, task.file, set.mode);
    for (const { code, message } of entryFaults) faults.push(fileFault(task.path, code, message));
    const isReadable = entryFaults.length === 0 && !refusedPaths.has(task.path);
    return { ...task, prepared: preparePatches(task, set, encode, faults), isReadable };
  });
  const size = sizeOf(files);
  faults.push(...limitFaults(size, files.length, policy));
  return { files, faults, addedLines: size.lines };
}

function preparePatches(
  { file, patches }: FileTask,
  { mode, coordinates }: Pick<PatchSet, "mode" | "coordinates">,
  encode: (text: string) => Uint8Array,
  faults: PatchFault[],
): PreparedPatch[] {
  const firstLike = coordinates === "snapshot" ? duplicateFinder() : null;
  const prepared: PreparedPatch[] = [];
  for (const item of patches) {
    const found = ownFaults(item, file);
    const decoded = decodeBlock(item, mode, encode);
    if (decoded.kind === "refused") found.push(decoded.fault);
    const first = firstLike?.(item) ?? item.index;
    if (first !== item.index)
      found.push(patchFault(item, "duplicate_patch", `says the same as patch ${first}`));
    if (found.length === 0 && decoded.kind === "decoded")
      prepared.push({ index: item.index, patch: item.patch, block: decoded.bytes });
    for (const fault of found) faults.push(fault);
  }
  return prepared;
}

function ownFaults(item: IndexedPatch, file: FileTask["file"]): PatchFault[] {
  const { patch } = item;
  const faults: PatchFault[] = [];
  for (const { code, message } of fieldUseFaults(patch))
    faults.push(patchFault(item, code, message));
  const range = rangeFault(patch);
  if (range !== null) faults.push(patchFault(item, "out_of_range", range));
  if (!takesPatches(file))
    faults.push(patchFault(item, "unexpected_field", `${file.op} already says the whole outcome`));
  const expectation = expectFault(item);
  if (expectation !== null) faults.push(expectation);
  return faults;
}

function sizeOf(files: readonly ReviewedFile[]): { bytes: number; lines: number } {
  const texts = files.flatMap(({ file, prepared }) => [
    ...prepared.map(({ block }) => block),
    ...(file.content === undefined ? [] : [contentBytes(file.content) ?? new Uint8Array(0)]),
  ]);
  return {
    bytes: texts.reduce((sum, text) => sum + text.length, 0),
    lines: texts.reduce((sum, text) => sum + lineCount(text), 0),
  };
}

function limitFaults(
  size: { bytes: number; lines: number },
  fileCount: number,
  policy: PatchPolicy,
): PatchFault[] {
  const limits = limitsOf(policy);
  return [
    ...overLimit("bytes", size.bytes, limits.patchBytes),
    ...overLimit("files", fileCount, limits.files),
    ...changedLineFaults(size.lines, policy),
  ];
}

export function changedLineFaults(lines: number, policy: PatchPolicy): PatchFault[] {
  return overLimit("changed lines", lines, limitsOf(policy).changedLines);
}

function overLimit(what: string, count: number, limit: number): PatchFault[] {
  return count > limit ? [setFault("too_large", `${count} ${what}, the limit is ${limit}`)] : [];
}
