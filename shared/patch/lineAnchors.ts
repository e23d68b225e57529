import type { Comparison, LineChange } from "./lineDiff.ts";

/** A part of both files that is still to be compared. */
export type Box = LineChange;

/**
 * The parts between the lines that are on either side once each and in the same order on both (patience diff). Null
 * when there is no such line. When the steps are used up, there are none either.
 */
export function lineAnchors(box: Box, sides: Comparison): Box[] | null {
  sides.steps -= box.oldTo - box.oldFrom + box.newTo - box.newFrom;
  if (sides.steps < 0) return null;
  const anchors = longestRise(singlePairs(box, sides));
  if (anchors.length === 0) return null;
  const parts: Box[] = [];
  let { oldFrom, newFrom } = box;
  for (const [oldTo, newTo] of anchors) {
    parts.push({ oldFrom, oldTo, newFrom, newTo });
    oldFrom = oldTo + 1;
    newFrom = newTo + 1;
  }
  parts.push({ oldFrom, oldTo: box.oldTo, newFrom, newTo: box.newTo });
  return parts;
}

type Pair = readonly [old: number, new_: number];

function singlePairs(box: Box, sides: Comparison): Pair[] {
  const places = singlePlaces(sides.new, box.newFrom, box.newTo);
  const pairs: Pair[] = [];
  for (const [kind, old] of singlePlaces(sides.old, box.oldFrom, box.oldTo)) {
    const place = places.get(kind) ?? -1;
    if (old >= 0 && place >= 0) pairs.push([old, place]);
  }
  return pairs;
}

/** Where each kind of line first stands, in that order; -1 when it stands there more than once. */
function singlePlaces(lines: Int32Array, from: number, to: number): Map<number, number> {
  const places = new Map<number, number>();
  for (let at = from; at < to; at++) {
    const kind = lines[at] ?? -1;
    places.set(kind, places.has(kind) ? -1 : at);
  }
  return places;
}

/** The longest run of pairs, not necessarily neighbours, whose new places rise as their old places do. */
function longestRise(pairs: readonly Pair[]): Pair[] {
  const ends: number[] = [];
  const previous = new Int32Array(pairs.length);
  pairs.forEach(([, place], at) => {
    const length = firstNotBelow(ends, place, pairs);
    previous[at] = ends[length - 1] ?? -1;
    ends[length] = at;
  });
  const rise: Pair[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) {
    const pair = pairs[at];
    if (pair !== undefined) rise.push(pair);
  }
  return rise.reverse();
}

function firstNotBelow(ends: readonly number[], place: number, pairs: readonly Pair[]): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pairs[ends[middle] ?? 0]?.[1] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
