import type { AIPatch } from "../contracts/aiPatch.ts";
import type { ShapeFault } from "./shape.ts";

const positionFields = ["start", "end", "line"] as const;

/** The position fields that each operation takes: all of these, and no other. */
const fieldsOfOperation: Record<AIPatch["operation"], readonly string[]> = {
  "replace-block": ["start", "end"],
  "insert-before": ["line"],
  "insert-after": ["line"],
  append: [],
};

export function isPatchOperation(value: unknown): value is AIPatch["operation"] {
  return typeof value === "string" && Object.hasOwn(fieldsOfOperation, value);
}

export function fieldUseFaults(patch: Record<string, unknown>): readonly ShapeFault[] {
  const { operation } = patch;
  if (!isPatchOperation(operation) || usesItsFields(operation, patch)) return nothing;
  const faults: ShapeFault[] = [];
  for (const name of positionFields) {
    const isUsed = fieldsOfOperation[operation].includes(name);
    const isGiven = patch[name] !== undefined;
    if (isUsed && !isGiven) faults.push({ code: "missing_field", message: `${name} is missing` });
    if (!isUsed && isGiven)
      faults.push({ code: "unexpected_field", message: `${operation} takes no ${name}` });
  }
  return faults;
}

const nothing: readonly ShapeFault[] = [];

function usesItsFields(
  operation: AIPatch["operation"],
  { start, end, line }: { start?: unknown; end?: unknown; line?: unknown },
): boolean {
  const takesRange = operation === "replace-block";
  const takesLine = operation === "insert-before" || operation === "insert-after";
  return (
    (start !== undefined) === takesRange &&
    (end !== undefined) === takesRange &&
    (line !== undefined) === takesLine
  );
}

/** What can be wrong with the numbers before the length of the file is known. */
export function rangeFault({ operation, start = 1, end = 1, line = 1 }: AIPatch): string | null {
  if (operation === "replace-block") {
    if (start < 1) return `start is ${start}, the first line is 1`;
    return end < start ? `end is ${end}, which is before start ${start}` : null;
  }
  if (operation === "insert-before" && line < 1) return `line is ${line}, the first line is 1`;
  if (operation === "insert-after" && line < 0) return `line is ${line}, the top of the file is 0`;
  return null;
}
