import { endsWithLineFeed, lineFeed } from "./bytes.ts";
import { countLineFeeds } from "./lineFeeds.ts";

/**
 * The lines of some bytes, counted from 0. Only LF ends a line; a CR before it belongs to the ending.
 * Either every start is known, with one more for the end of the last line, or only how many lines end before each
 * block of bytes: an edit asks for few lines, and to count is cheaper than to note.
 */
export type LineTable = {
  bytes: Uint8Array;
  from: number;
  count: number;
  starts: Uint32Array | null;
  blocks: LineBlocks | null;
};

/** `endsBefore[n]` lines end before the n-th block. The first begins at `firstByte`. */
export type LineBlocks = { firstByte: number; blockCount: number; endsBefore: Uint32Array };

export const bytesPerBlock = 64;

export function lineTable(bytes: Uint8Array, from = 0): LineTable {
  const starts = startsIn(bytes, from);
  return { bytes, from, count: starts.count, starts: starts.at, blocks: null };
}

const keptBlocks = 65_536;
let shared: Uint32Array = new Uint32Array(1_024);

/** A table that the next call overwrites, for an edit that keeps none of it. */
export function passingLineTable(bytes: Uint8Array, from: number): LineTable {
  const most = 2 + ((bytes.length - from) >>> 6);
  const endsBefore = most <= shared.length ? shared : new Uint32Array(most * 2);
  if (most <= keptBlocks) shared = endsBefore;
  const { firstByte, blockCount, total } = countLineFeeds(bytes, from, endsBefore);
  const hasOpenLine = bytes.length > from && !endsWithLineFeed(bytes);
  const blocks = { firstByte, blockCount, endsBefore };
  return { bytes, from, count: total + Number(hasOpenLine), starts: null, blocks };
}

/** Where a line starts; the end of the last line for any line after it. */
export function startOf(table: LineTable, index: number): number {
  const { bytes, starts, blocks } = table;
  if (index >= table.count) return bytes.length;
  if (starts !== null) return starts[index] ?? bytes.length;
  if (index === 0 || blocks === null) return table.from;
  return afterLineFeed(table, blocks, index);
}

/** The byte after the n-th line feed, counted from 1. */
function afterLineFeed({ bytes, from }: LineTable, blocks: LineBlocks, count: number): number {
  const { firstByte, endsBefore } = blocks;
  let low = 0;
  let high = blocks.blockCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((endsBefore[middle] ?? 0) < count) low = middle + 1;
    else high = middle;
  }
  // The block before the first that is too far; before the first block stand less than four bytes.
  let at = low === 0 ? from : firstByte + (low - 1) * bytesPerBlock;
  let missing = low === 0 ? count : count - (endsBefore[low - 1] ?? 0);
  for (; at < bytes.length; at++) if (bytes[at] === lineFeed && --missing === 0) return at + 1;
  return bytes.length;
}

/** The same table with every start known. */
export function noteStarts(table: LineTable): LineTable {
  table.starts ??= startsIn(table.bytes, table.from).at;
  return table;
}

function startsIn(bytes: Uint8Array, from: number): { at: Uint32Array; count: number } {
  const { length } = bytes;
  let at: Uint32Array = new Uint32Array(8 + ((length - from) >>> 4));
  let count = 0;
  for (let start = from; start < length; count++) {
    if (count + 1 === at.length) at = doubled(at);
    at[count] = start;
    while (start < length && bytes[start] !== lineFeed) start++;
    start++;
  }
  at[count] = length;
  return { at, count };
}

function doubled(starts: Uint32Array): Uint32Array {
  const larger = new Uint32Array(starts.length * 2);
  larger.set(starts);
  return larger;
}
