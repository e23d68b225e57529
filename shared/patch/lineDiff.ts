import { type Box, lineAnchors } from "./lineAnchors.ts";
import { lineTable, startOf } from "./lineTable.ts";
import { shortestEdit } from "./shortestEdit.ts";

/** Lines of the old side that give way to lines of the new side, counted from 0, ends excluded. */
export type LineChange = { oldFrom: number; oldTo: number; newFrom: number; newTo: number };

/**
 * The lines of two files as numbers, equal where the lines are equal to the byte. `steps` is what may still be spent
 * on comparing them.
 */
export type Comparison = { old: Int32Array; new: Int32Array; kinds: number; steps: number };

/** Both engines count alike, so that both give up at the same place. */
const comparisonSteps = 2_000_000;

/**
 * How the lines of one file become those of another: in order, never touching each other. Lines that are in both
 * sides once each are matched first, the rest by the shortest edit. What would take too long is one replacement.
 */
export function diffLines(before: Uint8Array, after: Uint8Array): LineChange[] {
  const sides = numbered(before, after);
  const all = { oldFrom: 0, oldTo: sides.old.length, newFrom: 0, newTo: sides.new.length };
  const found: LineChange[] = [];
  const boxes: Box[] = [all];
  for (let box = boxes.pop(); box !== undefined; box = boxes.pop()) {
    const { changes, boxes: inner } = compare(trimmed(box, sides), sides);
    for (const change of changes) found.push(change);
    for (const one of inner.reverse()) boxes.push(one);
  }
  return joined(found);
}

/** The changes within a box, or the smaller boxes that it falls into. */
function compare(box: Box, sides: Comparison): { changes: LineChange[]; boxes: Box[] } {
  const [oldCount, newCount] = [box.oldTo - box.oldFrom, box.newTo - box.newFrom];
  if (oldCount === 0 && newCount === 0) return { changes: [], boxes: [] };
  if (oldCount === 0 || newCount === 0) return { changes: [box], boxes: [] };
  const parts = lineAnchors(box, sides);
  if (parts !== null) return { changes: [], boxes: parts };
  return { changes: shortestEdit(box, sides), boxes: [] };
}

function numbered(before: Uint8Array, after: Uint8Array): Comparison {
  const numbers = new Map<string, number>();
  const old = numbersOf(before, numbers);
  return { old, new: numbersOf(after, numbers), kinds: numbers.size, steps: comparisonSteps };
}

function numbersOf(bytes: Uint8Array, numbers: Map<string, number>): Int32Array {
  const table = lineTable(bytes);
  // One character a byte, whatever the encoding is. Texts are hashed with a seed, so no file can make them collide.
  const characters = new TextDecoder("latin1").decode(bytes);
  const found = new Int32Array(table.count);
  for (let at = 0; at < table.count; at++) {
    const text = characters.slice(startOf(table, at), startOf(table, at + 1));
    const number = numbers.get(text) ?? numbers.size;
    if (number === numbers.size) numbers.set(text, number);
    found[at] = number;
  }
  return found;
}

/** Without the lines that both sides begin and end with. */
function trimmed({ oldFrom, oldTo, newFrom, newTo }: Box, sides: Comparison): Box {
  let head = 0;
  const most = Math.min(oldTo - oldFrom, newTo - newFrom);
  while (head < most && sides.old[oldFrom + head] === sides.new[newFrom + head]) head++;
  let tail = 0;
  while (tail < most - head && sides.old[oldTo - tail - 1] === sides.new[newTo - tail - 1]) tail++;
  return {
    oldFrom: oldFrom + head,
    oldTo: oldTo - tail,
    newFrom: newFrom + head,
    newTo: newTo - tail,
  };
}

function joined(changes: readonly LineChange[]): LineChange[] {
  const whole: LineChange[] = [];
  for (const change of changes) {
    const last = whole.at(-1);
    if (last?.oldTo === change.oldFrom && last.newTo === change.newFrom) {
      last.oldTo = change.oldTo;
      last.newTo = change.newTo;
    } else whole.push({ ...change });
  }
  return whole;
}
