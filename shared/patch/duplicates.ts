import type { AIPatch } from "../contracts/aiPatch.ts";
import type { IndexedPatch } from "./faults.ts";

/**
 * Finds patches of one file that say the same: operation, numbers and block. Answers, for one patch after the other,
 * the index of the first of its kind. Blocks are compared only where two patches name the same line.
 */
export function duplicateFinder(): (item: IndexedPatch) => number {
  const firstAtLine = new Map<AIPatch["operation"], Map<number, IndexedPatch>>();
  const firstOfKind = new Map<string, number>();
  return (item) => {
    const { operation, start, line = start ?? 0 } = item.patch;
    const atLine = firstAtLine.get(operation) ?? new Map<number, IndexedPatch>();
    firstAtLine.set(operation, atLine);
    const other = atLine.get(line);
    if (other === undefined) {
      atLine.set(line, item);
      return item.index;
    }
    if (!firstOfKind.has(kindOf(other))) firstOfKind.set(kindOf(other), other.index);
    const kind = kindOf(item);
    const first = firstOfKind.get(kind) ?? item.index;
    firstOfKind.set(kind, first);
    return first;
  };
}

function kindOf({ patch }: IndexedPatch): string {
  const { operation, start, end, line, block, block_encoding: encoding = "utf-8" } = patch;
  return [operation, start, end, line, encoding, block].join(" ");
}
