import { concatBytes, encodeText, endsWithLineFeed } from "../bytes.ts";
import { diffLines, type LineChange } from "../lineDiff.ts";
import { linesBetween } from "../lines.ts";
import { type LineTable, lineTable } from "../lineTable.ts";

const contextLines = 3;
const unended = encodeText("\n\\ No newline at end of file\n");

type Sides = { old: LineTable; new: LineTable };

/** The hunks of a unified diff, with the changes in one hunk whose context would meet. */
export function writeHunks(before: Uint8Array, after: Uint8Array): Uint8Array {
  const sides = { old: lineTable(before), new: lineTable(after) };
  const parts: Uint8Array[] = [];
  let hunk: LineChange[] = [];
  for (const change of diffLines(before, after)) {
    const last = hunk.at(-1);
    if (last !== undefined && change.oldFrom - last.oldTo > 2 * contextLines) {
      writeHunk(hunk, sides, parts);
      hunk = [];
    }
    hunk.push(change);
  }
  if (hunk.length > 0) writeHunk(hunk, sides, parts);
  return concatBytes(parts);
}

function writeHunk(changes: readonly LineChange[], sides: Sides, parts: Uint8Array[]): void {
  const [first, last] = [changes[0], changes.at(-1)];
  if (first === undefined || last === undefined) return;
  const head = Math.min(contextLines, first.oldFrom);
  const tail = Math.min(contextLines, sides.old.count - last.oldTo);
  const oldSpan = spanOf(first.oldFrom - head, last.oldTo + tail);
  const newSpan = spanOf(first.newFrom - head, last.newTo + tail);
  parts.push(encodeText(`@@ -${oldSpan} +${newSpan} @@\n`));
  let next = first.oldFrom - head;
  for (const { oldFrom, oldTo, newFrom, newTo } of changes) {
    writeLines(" ", sides.old, next, oldFrom, parts);
    writeLines("-", sides.old, oldFrom, oldTo, parts);
    writeLines("+", sides.new, newFrom, newTo, parts);
    next = oldTo;
  }
  writeLines(" ", sides.old, next, last.oldTo + tail, parts);
}

/** Without lines, a span names the line before it. */
function spanOf(from: number, to: number): string {
  const count = to - from;
  const start = count === 0 ? from : from + 1;
  return count === 1 ? `${start}` : `${start},${count}`;
}

function writeLines(
  sign: string,
  table: LineTable,
  from: number,
  to: number,
  parts: Uint8Array[],
): void {
  const mark = encodeText(sign);
  for (let at = from; at < to; at++) {
    const line = linesBetween(table, at, at + 1);
    parts.push(mark, line);
    if (!endsWithLineFeed(line)) parts.push(unended);
  }
}
