import { patchOperations } from "../contracts/aiPatch.ts";
import type { IndexedPatch } from "./faults.ts";

/**
 * Finds patches of one file that say the same: operation, numbers and block. Answers, for one patch after the other,
 * the index of the first of its kind. Blocks are compared only where two patches name the same line.
 */
export function duplicateFinder(patches: readonly IndexedPatch[]): (item: IndexedPatch) => number {
  if (patches.every((item, at) => at === 0 || lineOf(patches[at - 1]) < lineOf(item)))
    return ({ index }) => index;
  const firstAtLine = new Map<number, IndexedPatch>();
  const firstOfKind = new Map<string, number>();
  return (item) => {
    const place =
      lineOf(item) * patchOperations.length + patchOperations.indexOf(item.patch.operation);
    const other = firstAtLine.get(place);
    if (other === undefined) {
      firstAtLine.set(place, item);
      return item.index;
    }
    if (!firstOfKind.has(kindOf(other))) firstOfKind.set(kindOf(other), other.index);
    const kind = kindOf(item);
    const first = firstOfKind.get(kind) ?? item.index;
    firstOfKind.set(kind, first);
    return first;
  };
}

function lineOf(item: IndexedPatch | undefined): number {
  return item?.patch.line ?? item?.patch.start ?? 0;
}

function kindOf({ patch }: IndexedPatch): string {
  const { operation, start, end, line, block, block_encoding: encoding = "utf-8" } = patch;
  return [operation, start, end, line, encoding, block].join(" ");
}
