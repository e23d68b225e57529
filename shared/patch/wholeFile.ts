import { encodeBase64 } from "./base64.ts";
import { decodeUtf8, isBinary } from "./bytes.ts";
import { type FromDiffContext, operationsFromHunks } from "./fromDiff.ts";
import type { DiffHunk } from "./hunkReader.ts";
import { diffLines } from "./lineDiff.ts";
import { linesBetween } from "./lines.ts";
import { type LineTable, lineTable } from "./lineTable.ts";

/** True when patches can make `after` of `before`: one has lines, and no block would hold a NUL. */
export function isEditable(before: Uint8Array, after: Uint8Array): boolean {
  return !isBinary(before) && !after.includes(0);
}

/** The content of an entry: text, or base64 where the bytes are none. */
export function contentOf(bytes: Uint8Array): { text: string } | { base64: string } {
  const text = decodeUtf8(bytes);
  return text === null ? { base64: encodeBase64(bytes) } : { text };
}

/** What makes `after` of `before`, in mode `exact` and snapshot coordinates. Both must be editable. */
export function operationsBetween(
  before: Uint8Array,
  after: Uint8Array,
  naming: Omit<FromDiffContext, "fileIsUtf8">,
) {
  const fileIsUtf8 = decodeUtf8(before) !== null;
  return operationsFromHunks(hunksBetween(before, after), { ...naming, fileIsUtf8 });
}

function hunksBetween(before: Uint8Array, after: Uint8Array): DiffHunk[] {
  const [old, new_] = [lineTable(before), lineTable(after)];
  return diffLines(before, after).map(({ oldFrom, oldTo, newFrom, newTo }) => ({
    oldStart: oldTo > oldFrom ? oldFrom + 1 : oldFrom,
    oldLines: linesFrom(old, oldFrom, oldTo),
    newLines: linesFrom(new_, newFrom, newTo),
    before: [],
    after: [],
  }));
}

function linesFrom(table: LineTable, from: number, to: number): Uint8Array[] {
  return Array.from({ length: to - from }, (_, at) =>
    linesBetween(table, from + at, from + at + 1),
  );
}
