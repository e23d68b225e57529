import { carriageReturn, isTextAt, lineFeed } from "./bytes.ts";

/**
 * The lines of some bytes, counted from 0. Only LF ends a line; a CR before it belongs to the ending.
 * `starts` has one entry more than there are lines: the end of the last.
 */
export type LineTable = { bytes: Uint8Array; starts: Uint32Array; count: number };

/** Lines one by one: of a file, or of a file that sequential patches have half rebuilt. */
export type LineReader = {
  count(): number;
  line(index: number): Uint8Array;
  /** True when those lines are this text to the byte, a last ending perhaps left out. False says nothing. */
  isPlainly(text: string, from: number, to: number): boolean;
};

export function lineTable(bytes: Uint8Array, from = 0): LineTable {
  let starts = new Uint32Array(8 + ((bytes.length - from) >>> 4));
  let count = 0;
  let start = from;
  const { length } = bytes;
  while (start < length) {
    if (count + 1 === starts.length) starts = doubled(starts);
    starts[count++] = start;
    while (start < length && bytes[start] !== lineFeed) start++;
    start++;
  }
  starts[count] = length;
  return { bytes, starts, count };
}

function doubled(starts: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(starts.length * 2);
  larger.set(starts);
  return larger;
}

export function startOf(table: LineTable, index: number): number {
  return table.starts[index] ?? table.bytes.length;
}

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
      read[index] ??= comparable(linesBetween(table, index, index + 1), exact);
      return read[index];
    },
    isPlainly: (text, from, to) => {
      if (from < 0 || to > table.count) return false;
      const start = startOf(table, from);
      const end = startOf(table, to);
      if (isTextAt(text, table.bytes, start, end)) return true;
      const hasEnding = exact || table.bytes[end - 1] !== lineFeed || text.endsWith("\n");
      return !hasEnding && isTextAt(text, table.bytes, start, end - 1);
    },
  };
}

export function comparable(line: Uint8Array, exact: boolean): Uint8Array {
  return exact ? line : withoutEnding(line);
}

export function linesOf(bytes: Uint8Array, exact: boolean): Uint8Array[] {
  const reader = readerOf(lineTable(bytes), exact);
  return Array.from({ length: reader.count() }, (_, index) => reader.line(index));
}

export function lineCount(bytes: Uint8Array): number {
  let count = bytes.length > 0 && bytes[bytes.length - 1] !== lineFeed ? 1 : 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === lineFeed) count++;
  return count;
}
