import type { AIPatch, PatchFault } from "../contracts/aiPatch.ts";
import type { PreparedPatch } from "./check.ts";
import { fileFault, patchFault } from "./faults.ts";
import {
  findGuard,
  type Guard,
  guardOf,
  guardStands,
  hasGuard,
  type Place,
  standsPlainly,
} from "./guards.ts";
import type { LineReader } from "./lines.ts";

/**
 * How well the file that was read is known: by a hash it is the base (`base`) or another (`changed`), by the caller's
 * word it is the base (`head`), or nobody said (`unknown`).
 */
export type FileKnowledge = "base" | "head" | "changed" | "unknown";

/** What is common to the patches of one file. `searchableLines` is how much is left to be searched through. */
export type Placing = {
  reader: LineReader;
  exact: boolean;
  knowledge: FileKnowledge;
  searchableLines: number;
};

export function placingIn(reader: LineReader, exact: boolean, knowledge: FileKnowledge): Placing {
  return { reader, exact, knowledge, searchableLines: 20_000_000 };
}

export type PlacedPatch = PreparedPatch & Place;
export type Placement =
  | { kind: "placed"; place: Place; shiftedLines: number }
  | { kind: "refused"; fault: PatchFault };

/** The place that a patch names in a file of `count` lines; a text says why there is none. */
export function statedPlace(patch: AIPatch, count: number): Place | string {
  const { operation, start = 0, end = 0, line = 0 } = patch;
  const outside = (name: string, value: number) =>
    `${name} is ${value}, the file has ${count} ${count === 1 ? "line" : "lines"}`;
  if (operation === "append") return { from: count, to: count };
  if (operation === "replace-block")
    return end > count ? outside("end", end) : { from: start - 1, to: end };
  if (operation === "insert-before")
    return line > count + 1 ? outside("line", line) : { from: line - 1, to: line - 1 };
  return line > count ? outside("line", line) : { from: line, to: line };
}

export function placePatch(item: PreparedPatch, placing: Placing): Placement {
  const { knowledge, exact } = placing;
  const isTrusted = knowledge === "base" || knowledge === "head";
  if (isTrusted || item.patch.operation === "append") {
    const stated = placeAsStated(item, placing);
    if (stated.kind === "placed" || knowledge !== "head") return stated;
    return canBeSearched(item.patch)
      ? placeByGuard(item, guardOf(item.patch, exact), placing)
      : stated;
  }
  return canBeSearched(item.patch)
    ? placeByGuard(item, guardOf(item.patch, exact), placing)
    : refuseUnguarded(item, knowledge);
}

export function placeAsStated(item: PreparedPatch, placing: Placing): Placement {
  const { reader, exact, knowledge } = placing;
  const { patch } = item;
  const isTrusted = knowledge === "base" || knowledge === "head";
  if (!isTrusted && !hasGuard(patch)) return refuseUnguarded(item, knowledge);
  const place = statedPlace(patch, reader.count());
  if (typeof place === "string") return refused(item, "out_of_range", place);
  const placed: Placement = { kind: "placed", place, shiftedLines: 0 };
  if (!hasGuard(patch)) return placed;
  if (reader.table !== null && standsPlainly(patch, place, reader.table, exact)) return placed;
  return guardStands(guardOf(patch, exact), place, reader)
    ? placed
    : refused(item, "stale", "what it expects does not stand at its place");
}

/** A block to replace is found by its own text only: what stands around it says nothing of it. */
function canBeSearched(patch: AIPatch): boolean {
  if (patch.operation === "append") return false;
  return patch.operation === "replace-block" ? Boolean(patch.expect?.block) : hasGuard(patch);
}

function refuseUnguarded(item: PreparedPatch, knowledge: FileKnowledge): Placement {
  return knowledge === "changed"
    ? refused(item, "stale", "the file is not the one it was made for, and it has no guard")
    : refused(item, "unguarded", "needs expect, or pre of its file, or a base that is the head");
}

function placeByGuard(item: PreparedPatch, guard: Guard, placing: Placing): Placement {
  const { operation, start = 1, end = 1, line = 1 } = item.patch;
  if (operation === "replace-block" && guard.middle.length !== end - start + 1)
    return refused(item, "stale", "expect.block has another number of lines than start to end");
  placing.searchableLines -= placing.reader.count();
  if (placing.searchableLines < 0) return tooMuchToSearch(item);
  const [place, other] = findGuard(guard, placing.reader);
  if (place === undefined) return refused(item, "stale", "what it expects is not in the file");
  if (other !== undefined)
    return refused(item, "ambiguous", "what it expects is more than once in the file");
  const stated = { "replace-block": start - 1, "insert-before": line - 1, "insert-after": line };
  const from = operation === "append" ? place.from : stated[operation];
  return { kind: "placed", place, shiftedLines: place.from - from };
}

function tooMuchToSearch({ patch }: PreparedPatch): Placement {
  const message = "too many patches to be searched for in a changed file";
  return { kind: "refused", fault: fileFault(patch.file, "too_large", message) };
}

function refused(item: PreparedPatch, code: PatchFault["code"], message: string): Placement {
  return { kind: "refused", fault: patchFault(item, code, message) };
}
