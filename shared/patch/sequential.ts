import type { PatchFault } from "../contracts/aiPatch.ts";
import type { PreparedPatch } from "./check.ts";
import { endingOf, withEnding } from "./endings.ts";
import { fileFault } from "./faults.ts";
import type { Place } from "./guards.ts";
import {
  type HalfEdited,
  halfEdited,
  halfEditedReader,
  rawLine,
  replaceLines,
  runsOf,
} from "./halfEdited.ts";
import { type LineTable, lineTable, noteStarts, startOf } from "./lineTable.ts";
import { placeAsStated, placingIn } from "./placement.ts";
import type { Rebuilt, TextEdit } from "./textEdit.ts";

/** Each can move all that the others inserted, so their number is bounded. */
const sequentialPatches = 10_000;

/**
 * Each patch has its place in the file as the patches before it left it. After the first that has no place, the
 * numbers of the others mean nothing, so it is the only one told.
 */
export function rebuildInTurn(
  edit: TextEdit,
  table: LineTable,
  majority: () => Uint8Array,
): Rebuilt {
  if (edit.patches.length > sequentialPatches) {
    const message = `more than ${sequentialPatches} sequential patches of one file`;
    return unbuilt(fileFault(edit.path, "too_large", message));
  }
  const exact = edit.mode === "exact";
  const file = halfEdited(noteStarts(table));
  const placing = placingIn(halfEditedReader(file, exact), exact, edit.knowledge);
  let removedLines = 0;
  for (const item of edit.patches) {
    const placement = placeAsStated(item, placing);
    if (placement.kind === "refused") return unbuilt(placement.fault);
    const { from, to } = placement.place;
    const bytes = exact ? item.block : rendered(item, placement.place, file, majority);
    const lines = lineTable(bytes);
    replaceLines(file, from, to, { table: lines, from: 0, to: lines.count, patch: item });
    removedLines += to - from;
  }
  const pieces = runsOf(file).map((run) => ({
    bytes: run.table.bytes,
    from: startOf(run.table, run.from),
    to: startOf(run.table, run.to),
    patch: run.patch,
  }));
  return { pieces, faults: [], shifts: [], removedLines };
}

function unbuilt(fault: PatchFault): Rebuilt {
  return { pieces: [], faults: [fault], shifts: [], removedLines: 0 };
}

/** The rule of snapshot patches, read from the half-edited file. */
function rendered(
  item: PreparedPatch,
  { from, to }: Place,
  file: HalfEdited,
  majority: () => Uint8Array,
): Uint8Array {
  const replaced = to > from ? endingOf(rawLine(file, from)) : null;
  const ending =
    replaced ?? endingOf(rawLine(file, from - 1)) ?? endingOf(rawLine(file, to)) ?? majority();
  return withEnding(item.block, ending);
}
