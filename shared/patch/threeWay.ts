import { fileFault } from "./faults.ts";
import type { FileOutcome } from "./fileOutcome.ts";
import { type ConflictHunk, mergeLines } from "./merge.ts";
import type { TreeFile } from "./treeFile.ts";

/**
 * Where a set and a file that changed since want different things. `ours` is the file as it is, `theirs` what the
 * set makes of its base. `marked` is the file with the conflicts marked, null where nothing can be marked.
 */
export type FileConflict = { file: string; hunks: ConflictHunk[]; marked: Uint8Array | null };

/** Puts what a set makes of the base of a file into the file as it is. */
export function mergeOutcome(
  path: string,
  base: TreeFile,
  actual: TreeFile,
  wanted: Extract<FileOutcome, { kind: "outcome" }>,
): FileOutcome {
  if (wanted.after === null)
    return conflicting(
      { file: path, hunks: [], marked: null },
      "it is deleted here and changed there",
    );
  const labels = { ours: path, base: "base", theirs: "patch" };
  const merged = mergeLines(base.bytes, actual.bytes, wanted.after.bytes, labels);
  if (merged.kind === "conflict") {
    const { hunks, marked } = merged;
    return conflicting({ file: path, hunks, marked }, placesOf(hunks));
  }
  const mode = wanted.after.mode === base.mode ? actual.mode : wanted.after.mode;
  return { ...wanted, after: { bytes: merged.bytes, mode }, shifts: [], merged: [path] };
}

function conflicting(conflict: FileConflict, because: string): FileOutcome {
  const message = `it changed since, and a three-way merge does not mend it: ${because}`;
  return {
    kind: "refused",
    faults: [fileFault(conflict.file, "conflict", message)],
    conflicts: [conflict],
  };
}

function placesOf(hunks: readonly ConflictHunk[]): string {
  if (hunks.length === 0) return "it is binary";
  const places = hunks.slice(0, 10).map(({ ours: { start, lines } }) => `${start},${lines}`);
  return `conflicts at ${places.join(" ")}${hunks.length > 10 ? " …" : ""} (line,count)`;
}
