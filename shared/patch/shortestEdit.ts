import type { Box } from "./lineAnchors.ts";
import type { Comparison, LineChange } from "./lineDiff.ts";

/** More lines than these taken out and put in together are not looked for; the part is replaced as a whole. */
const longestEdit = 1_000;

/** The lines of a box that are on both sides, and where each stands in its file. */
type CommonLines = { old: Int32Array; new: Int32Array; oldPlaces: number[]; newPlaces: number[] };

/** The fewest lines to take out and to put in (Myers 1986), or one replacement when that is too far to look for. */
export function shortestEdit(box: Box, sides: Comparison): LineChange[] {
  const common = commonLines(box, sides);
  if (common.old.length === 0) return [box];
  const rows = search(common, sides);
  return rows === null ? [box] : changesBetween(retrace(common, rows), box);
}

/** A line that is on one side only is never kept, so it need not be compared. */
function commonLines(box: Box, sides: Comparison): CommonLines {
  const oldKinds = new Set(sides.old.subarray(box.oldFrom, box.oldTo));
  const newKinds = new Set(sides.new.subarray(box.newFrom, box.newTo));
  const oldPlaces = placesOf(newKinds, sides.old, box.oldFrom, box.oldTo);
  const newPlaces = placesOf(oldKinds, sides.new, box.newFrom, box.newTo);
  const kindsAt = (lines: Int32Array, places: readonly number[]) =>
    Int32Array.from(places, (place) => lines[place] ?? 0);
  const [old, new_] = [kindsAt(sides.old, oldPlaces), kindsAt(sides.new, newPlaces)];
  return { old, new: new_, oldPlaces, newPlaces };
}

function placesOf(kinds: ReadonlySet<number>, lines: Int32Array, from: number, to: number) {
  const places: number[] = [];
  for (let at = from; at < to; at++) if (kinds.has(lines[at] ?? -1)) places.push(at);
  return places;
}

/**
 * How far each diagonal gets with 0, 1, 2 … changes, until both ends are reached; null when that takes too long. The
 * entry `k + d` of the d-th row is of diagonal k, on which the old place is k ahead of the new one.
 */
function search(common: CommonLines, sides: Comparison): Int32Array[] | null {
  const [oldCount, newCount] = [common.old.length, common.new.length];
  const most = Math.min(oldCount + newCount, longestEdit);
  const rows: Int32Array[] = [];
  let before = new Int32Array(1);
  for (let d = 0; d <= most && sides.steps >= 0; d++) {
    const row = new Int32Array(2 * d + 1);
    rows.push(row);
    for (let k = -d; k <= d; k += 2) {
      const from = d === 0 ? 0 : leavingAt(before, d, k);
      const to = slide(from, from - k, common);
      sides.steps -= 1 + to - from;
      row[k + d] = to;
      if (to >= oldCount && to - k >= newCount) return rows;
    }
    before = row;
  }
  return null;
}

/** The old place at which the d-th change leaves one on diagonal k. */
function leavingAt(before: Int32Array, d: number, k: number): number {
  return putsIn(before, d, k) ? at(before, d, k + 1) : at(before, d, k - 1) + 1;
}

/** True when the d-th change on the way to diagonal k puts a line in, false when it takes one out. */
function putsIn(before: Int32Array, d: number, k: number): boolean {
  return k === -d || (k !== d && at(before, d, k - 1) < at(before, d, k + 1));
}

function at(before: Int32Array, d: number, k: number): number {
  return before[k + d - 1] ?? 0;
}

/** Where the run of equal lines ends that begins here. */
function slide(old: number, new_: number, common: CommonLines): number {
  let at = old;
  while (at < common.old.length && common.old[at] === common.new[at - old + new_]) at++;
  return at;
}

/** The lines that are kept, as pairs of places in the two files, in order. */
function retrace({ old, new: new_, oldPlaces, newPlaces }: CommonLines, rows: Int32Array[]) {
  const kept: [old: number, new_: number][] = [];
  let [oldAt, k] = [old.length, old.length - new_.length];
  for (let d = rows.length - 1; d >= 0; d--) {
    const before = rows[d - 1] ?? new Int32Array(1);
    const start = d === 0 ? 0 : leavingAt(before, d, k);
    for (let one = oldAt - 1; one >= start; one--)
      kept.push([oldPlaces[one] ?? 0, newPlaces[one - k] ?? 0]);
    if (d === 0) break;
    k += putsIn(before, d, k) ? 1 : -1;
    oldAt = at(before, d, k);
  }
  return kept.reverse();
}

function changesBetween(kept: readonly (readonly [number, number])[], box: Box): LineChange[] {
  const changes: LineChange[] = [];
  let { oldFrom, newFrom } = box;
  for (const [oldTo, newTo] of [...kept, [box.oldTo, box.newTo] as const]) {
    if (oldFrom < oldTo || newFrom < newTo) changes.push({ oldFrom, oldTo, newFrom, newTo });
    oldFrom = oldTo + 1;
    newFrom = newTo + 1;
  }
  return changes;
}
