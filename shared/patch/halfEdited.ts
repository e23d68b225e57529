import { noBytes } from "./bytes.ts";
import type { PreparedPatch } from "./check.ts";
import { comparable, type LineReader, linesBetween } from "./lines.ts";
import type { LineTable } from "./lineTable.ts";

/** Lines of one table; `patch` is where they come from, null for lines of the file itself. */
export type LineRun = { table: LineTable; from: number; to: number; patch: PreparedPatch | null };

/**
 * A file under sequential patches: runs of lines left and right of a moving gap. Patches near each other cost little,
 * and no line is copied before the end. No run is empty.
 */
export type HalfEdited = { left: LineRun[]; right: LineRun[]; leftLines: number; count: number };

export function halfEdited(table: LineTable): HalfEdited {
  const whole: LineRun = { table, from: 0, to: table.count, patch: null };
  const right = table.count > 0 ? [whole] : [];
  return { left: [], right, leftLines: 0, count: table.count };
}

/** Puts a run in the place of the lines from `from` up to, without, `to`. */
export function replaceLines(file: HalfEdited, from: number, to: number, run: LineRun): void {
  moveGap(file, from);
  let missing = to - from;
  while (missing > 0) missing -= lengthOf(takeRight(file, missing));
  if (lengthOf(run) > 0) file.left.push(run);
  file.leftLines += lengthOf(run);
  file.count += lengthOf(run) - (to - from);
}

export function runsOf(file: HalfEdited): LineRun[] {
  return [...file.left, ...file.right.toReversed()];
}

export function halfEditedReader(file: HalfEdited, exact: boolean): LineReader {
  return {
    count: () => file.count,
    line: (index) => comparable(rawLine(file, index), exact),
    table: null,
  };
}

/** A line with its ending, or nothing when there is no such line. */
export function rawLine(file: HalfEdited, index: number): Uint8Array {
  if (index < 0 || index >= file.count) return noBytes;
  moveGap(file, index);
  const run = file.right.at(-1);
  if (run === undefined) return noBytes;
  return linesBetween(run.table, run.from, run.from + 1);
}

function moveGap(file: HalfEdited, to: number): void {
  while (file.leftLines < to) {
    const run = takeRight(file, to - file.leftLines);
    file.left.push(run);
    file.leftLines += lengthOf(run);
  }
  while (file.leftLines > to) {
    const run = file.left.pop();
    if (run === undefined) return;
    const kept = Math.max(0, lengthOf(run) - (file.leftLines - to));
    file.leftLines -= lengthOf(run) - kept;
    if (kept > 0) file.left.push({ ...run, to: run.from + kept });
    file.right.push({ ...run, from: run.from + kept });
  }
}

/** Takes the next run, or its first lines when it has more than `most`. */
function takeRight(file: HalfEdited, most: number): LineRun {
  const run = file.right.pop();
  if (run === undefined) throw new RangeError("the gap lies outside the file");
  if (lengthOf(run) <= most) return run;
  file.right.push({ ...run, from: run.from + most });
  return { ...run, to: run.from + most };
}

function lengthOf({ from, to }: LineRun): number {
  return to - from;
}
