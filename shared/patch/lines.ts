import { carriageReturn, lineFeed } from "./bytes.ts";
import { type LineTable, noteStarts, startOf } from "./lineTable.ts";

/** Lines one by one: of a file, or of a file that sequential patches have half rebuilt. */
export type LineReader = {
  count(): number;
  line(index: number): Uint8Array;
  /** The table whose lines these are; null while they are of several. */
  table: LineTable | null;
};

/** The bytes of the lines from `from` up to, without, `to`, endings included. */
export function linesBetween(table: LineTable, from: number, to: number): Uint8Array {
  return table.bytes.subarray(startOf(table, from), startOf(table, to));
}

export function withoutEnding(line: Uint8Array): Uint8Array {
  if (line[line.length - 1] !== lineFeed) return line;
  const hasReturn = line[line.length - 2] === carriageReturn;
  return line.subarray(0, line.length - (hasReturn ? 2 : 1));
}

/** In mode `exact` a line is compared with its ending, in mode `lines` without. */
export function readerOf(table: LineTable, exact: boolean): LineReader {
  // A search reads every line once for each patch.
  const read: Uint8Array[] = [];
  return {
    count: () => table.count,
    line: (index) => {
      read[index] ??= comparable(linesBetween(noteStarts(table), index, index + 1), exact);
      return read[index];
    },
    table,
  };
}

export function comparable(line: Uint8Array, exact: boolean): Uint8Array {
  return exact ? line : withoutEnding(line);
}

export function linesOf(bytes: Uint8Array, exact: boolean): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = start;
    while (end < bytes.length && bytes[end] !== lineFeed) end++;
    lines.push(comparable(bytes.subarray(start, end + 1), exact));
    start = end + 1;
  }
  return lines;
}

export function lineCount(bytes: Uint8Array): number {
  let count = bytes.length > 0 && bytes[bytes.length - 1] !== lineFeed ? 1 : 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === lineFeed) count++;
  return count;
}
