import type { PatchFault } from "../contracts/aiPatch.ts";
import { type Piece, pieceOf } from "./assemble.ts";
import { endingAt, withEnding } from "./endings.ts";
import { patchFault } from "./faults.ts";
import { readerOf } from "./lines.ts";
import { type LineTable, startOf } from "./lineTable.ts";
import { type PlacedPatch, placePatch, placingIn } from "./placement.ts";
import type { PatchShift, Rebuilt, TextEdit } from "./textEdit.ts";

/** Every patch has its place in the file as it was read, so none moves another. */
export function rebuildFromSnapshot(
  edit: TextEdit,
  table: LineTable,
  majority: () => Uint8Array,
): Rebuilt {
  const { placed, unplaced, shifts } = placeAll(edit, table);
  const inOrder = inFileOrder(placed);
  const faults = unplaced.concat(overlapFaults(inOrder));
  if (faults.length > 0) return { pieces: [], faults, shifts, removedLines: 0 };

  const pieces: Piece[] = [];
  let next = 0;
  let removedLines = 0;
  for (const patch of inOrder) {
    if (patch.from > next) pieces.push(untouched(table, next, patch.from));
    const bytes = edit.mode === "exact" ? patch.block : rendered(patch, table, majority);
    if (bytes.length > 0) pieces.push(pieceOf(bytes, patch));
    removedLines += patch.to - patch.from;
    next = patch.to;
  }
  if (next < table.count) pieces.push(untouched(table, next, table.count));
  return { pieces, faults, shifts, removedLines };
}

function placeAll({ path, patches, mode, knowledge }: TextEdit, table: LineTable) {
  const exact = mode === "exact";
  const placing = placingIn(readerOf(table, exact), exact, knowledge);
  const placed: PlacedPatch[] = [];
  const unplaced: PatchFault[] = [];
  const shifts: PatchShift[] = [];
  for (const item of patches) {
    const placement = placePatch(item, placing);
    if (placement.kind === "refused") {
      unplaced.push(placement.fault);
      continue;
    }
    const { place, shiftedLines } = placement;
    const { index, patch, block } = item;
    placed.push({ index, patch, block, from: place.from, to: place.to });
    if (shiftedLines !== 0) shifts.push({ index: item.index, file: path, lines: shiftedLines });
  }
  return { placed, unplaced, shifts };
}

/** Most sets are written from the top to the bottom. */
function inFileOrder(placed: PlacedPatch[]): readonly PlacedPatch[] {
  for (let at = 1; at < placed.length; at++) {
    const [above, below] = [placed[at - 1], placed[at]];
    if (above && below && byPlace(above, below) > 0) return placed.sort(byPlace);
  }
  return placed;
}

/** At one gap an insert stands before what replaces the next line; among inserts the array's order counts. */
function byPlace(a: PlacedPatch, b: PlacedPatch): number {
  return a.from - b.from || Number(isReplace(a)) - Number(isReplace(b)) || a.index - b.index;
}

/** One fault for each patch that gets in the way of another; of two, the later in the array has it. */
function overlapFaults(inOrder: readonly PlacedPatch[]): PatchFault[] {
  const faults: PatchFault[] = [];
  let reach: PlacedPatch | undefined;
  for (const patch of inOrder) {
    if (reach !== undefined && patch.from < reach.to) faults.push(coveredFault(patch, reach));
    if (isReplace(patch) && (reach === undefined || patch.to > reach.to)) reach = patch;
  }
  return faults;
}

function coveredFault(patch: PlacedPatch, reach: PlacedPatch): PatchFault {
  if (!isReplace(patch))
    return patchFault(patch, "insert_inside_replace", `inside what patch ${reach.index} replaces`);
  const [first, second] = patch.index < reach.index ? [patch, reach] : [reach, patch];
  return patchFault(second, "overlap", `replaces lines that patch ${first.index} replaces`);
}

function isReplace({ from, to }: PlacedPatch): boolean {
  return to > from;
}

function untouched(table: LineTable, from: number, to: number): Piece {
  return { bytes: table.bytes, from: startOf(table, from), to: startOf(table, to), patch: null };
}

/** New lines end like the first line they replace, else like the line above, else like the line below. */
function rendered(patch: PlacedPatch, table: LineTable, majority: () => Uint8Array): Uint8Array {
  const { from, to } = patch;
  const replaced = to > from ? endingAt(table, from) : null;
  const ending = replaced ?? endingAt(table, from - 1) ?? endingAt(table, to) ?? majority();
  return withEnding(patch.block, ending);
}
