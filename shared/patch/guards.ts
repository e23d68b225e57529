import type { AIPatch } from "../contracts/aiPatch.ts";
import { encodeText, endOfText, equalBytes, lineFeed, startOfText } from "./bytes.ts";
import { type LineReader, linesOf } from "./lines.ts";
import { type LineTable, startOf } from "./lineTable.ts";

/** The lines from `from` up to, without, `to`, counted from 0; for an insert both are the same gap. */
export type Place = { from: number; to: number };

/**
 * What a patch expects around its place: the lines that end at `from`, those in between, and those that begin at
 * `to`. `expect.block` of an insert is the line that the insert names.
 */
export type Guard = { left: Uint8Array[]; middle: Uint8Array[]; right: Uint8Array[] };

export function hasGuard({ expect }: AIPatch): boolean {
  return Boolean(expect?.before || expect?.block || expect?.after);
}

/** True when all that is expected stands there to the byte, without taking it apart. False says nothing. */
export function standsPlainly(
  { operation, expect }: AIPatch,
  { from, to }: Place,
  table: LineTable,
  exact: boolean,
): boolean {
  const { before = "", block = "", after = "" } = expect ?? {};
  if (block !== "" && operation !== "replace-block") return false;
  const [start, end] = [startOf(table, from), startOf(table, to)];
  const { bytes } = table;
  return (
    (block === "" || endOfText(block, bytes, start) === endOf(block, bytes, end, exact)) &&
    (before === "" || endsPlainlyAt(before, table, start, exact)) &&
    (after === "" || startsPlainlyAt(after, bytes, end, exact))
  );
}

function endsPlainlyAt(text: string, table: LineTable, lineEnd: number, exact: boolean): boolean {
  const { bytes, from } = table;
  const start = startOfText(text, bytes, endOf(text, bytes, lineEnd, exact));
  return start !== -1 && (start === from || bytes[start - 1] === lineFeed);
}

function startsPlainlyAt(text: string, bytes: Uint8Array, start: number, exact: boolean): boolean {
  const end = endOfText(text, bytes, start);
  if (end === -1) return false;
  if (end === bytes.length || text.endsWith("\n")) return true;
  return endOf(text, bytes, end + 1, exact) === end;
}

/** Where a text ends whose last line ends at `end`: in mode `lines` it may lack the ending. */
function endOf(text: string, bytes: Uint8Array, end: number, exact: boolean): number {
  if (exact || text.endsWith("\n") || text.endsWith("\r")) return end;
  return bytes[end - 1] === lineFeed ? end - 1 : end;
}

export function guardOf({ operation, expect = {} }: AIPatch, exact: boolean): Guard {
  const [before, block, after] = [expect.before, expect.block, expect.after].map((text = "") =>
    linesOf(encodeText(text), exact),
  ) as [Uint8Array[], Uint8Array[], Uint8Array[]];
  if (operation === "replace-block") return { left: before, middle: block, right: after };
  if (operation === "insert-before")
    return { left: before, middle: [], right: [...block, ...after] };
  return { left: [...before, ...block], middle: [], right: after };
}

export function guardStands(guard: Guard, place: Place, reader: LineReader): boolean {
  const { left, middle, right } = guard;
  const middleFits = middle.length === 0 || middle.length === place.to - place.from;
  return (
    middleFits &&
    standAt(left, place.from - left.length, reader) &&
    standAt(middle, place.from, reader) &&
    standAt(right, place.to, reader)
  );
}

function standAt(lines: readonly Uint8Array[], at: number, reader: LineReader): boolean {
  if (at < 0 || at + lines.length > reader.count()) return false;
  return lines.every((line, offset) => equalBytes(line, reader.line(at + offset)));
}

/** The places where all of a guard stands in one piece, at most two of them. */
export function findGuard({ left, middle, right }: Guard, reader: LineReader): Place[] {
  return findLines([...left, ...middle, ...right], reader).map((at) => ({
    from: at + left.length,
    to: at + left.length + middle.length,
  }));
}

/** Knuth-Morris-Pratt over lines: no file and no guard makes it slower than their lengths together. */
function findLines(pattern: readonly Uint8Array[], reader: LineReader): number[] {
  const fallback = fallbackTable(pattern);
  const found: number[] = [];
  const count = reader.count();
  let matched = 0;
  for (let index = 0; index < count && found.length < 2; index++) {
    const line = reader.line(index);
    matched = advance(pattern, fallback, matched, line);
    if (matched === pattern.length) found.push(index + 1 - matched);
  }
  return found;
}

/** How many lines of the pattern match after one line more. */
function advance(
  pattern: readonly Uint8Array[],
  fallback: Uint32Array,
  matched: number,
  line: Uint8Array,
): number {
  let length = matched;
  for (;;) {
    const expected = pattern[length];
    if (expected !== undefined && equalBytes(expected, line)) return length + 1;
    if (length === 0) return 0;
    length = fallback[length - 1] ?? 0;
  }
}

/** For each prefix of the pattern, the longest shorter prefix that it ends with. */
function fallbackTable(pattern: readonly Uint8Array[]): Uint32Array {
  const fallback = new Uint32Array(pattern.length);
  pattern.forEach((line, index) => {
    if (index > 0) fallback[index] = advance(pattern, fallback, fallback[index - 1] ?? 0, line);
  });
  return fallback;
}
