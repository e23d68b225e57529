import { canonicalJson } from "../../shared/patch/canonical.ts";
import { type EngineOutcome, faultCodes } from "./engines.ts";
import type {
  Expected,
  ExpectedConflict,
  ExpectedFault,
  ExpectedFile,
  Vector,
} from "./vectorFile.ts";

/** Why an outcome is not the one that the vector wants; null when it is. */
export function disagreement(vector: Vector, outcome: EngineOutcome): string | null {
  const { expected } = vector;
  if (expected.kind === "applied")
    return outcome.kind === "applied"
      ? (fileDisagreement(vector, expected.after, outcome.files) ??
          mergeDisagreement(expected.merged, outcome.merged))
      : `expected applied, ${summaryOf(outcome)}`;
  if (expected.kind === "already_applied")
    return outcome.kind === expected.kind
      ? null
      : `expected already_applied, ${summaryOf(outcome)}`;
  return faultDisagreement(expected, outcome);
}

export function summaryOf(outcome: EngineOutcome): string {
  if (outcome.kind === "refused") return `refused ${faultCodes(outcome.faults)}`;
  if (outcome.kind === "already_applied") return outcome.kind;
  return `applied ${Object.keys(outcome.files).map(shown).join(" ") || "nothing"}`;
}

/** Both engines must give the same bytes, faults, shifts and content key. */
export function isSameOutcome(a: EngineOutcome, b: EngineOutcome | undefined): boolean {
  return b !== undefined && canonicalJson(a) === canonicalJson(b);
}

function fileDisagreement(
  { tree, set }: Vector,
  after: ReadonlyMap<string, ExpectedFile | null>,
  changes: Extract<EngineOutcome, { kind: "applied" }>["files"],
): string | null {
  for (const [path, expected] of after) {
    const change = Object.hasOwn(changes, path) ? changes[path] : undefined;
    const before = tree.get(path);
    const actual =
      change === undefined
        ? before && { base64: Buffer.from(before.bytes).toString("base64"), mode: before.mode }
        : change;
    if (!isExpected(expected, actual ?? null))
      return `${shown(path)} is ${textOf(actual?.base64)}, expected ${textOf(expected?.bytes)}`;
  }
  const removed = removedPaths(set);
  const others = Object.entries(changes).filter(([path]) => !after.has(path));
  const stray = others.find(([path, change]) => change !== null || !removed.has(path));
  return stray === undefined ? null : `${shown(stray[0])} changed, which the vector does not say`;
}

function isExpected(
  expected: ExpectedFile | null,
  actual: { base64: string; mode: string } | null,
): boolean {
  if (expected === null || actual === null) return expected === actual;
  const isSameMode = expected.mode === null || expected.mode === actual.mode;
  return isSameMode && Buffer.from(expected.bytes).toString("base64") === actual.base64;
}

/** A vector may leave out what its set deletes or renames away. */
function removedPaths(set: unknown): Set<string> {
  const { files = {} } = set as { files?: Record<string, { op?: string; from?: string }> };
  return new Set(
    Object.entries(files).flatMap(([path, { op, from }]) => {
      if (op === "delete") return [path];
      return op === "rename" && from !== undefined ? [from] : [];
    }),
  );
}

function faultDisagreement(
  expected: Extract<Expected, { kind: "refused" | "refused_for" }>,
  outcome: EngineOutcome,
): string | null {
  const wanted =
    expected.kind === "refused" ? expected.faults.map(({ code }) => code).join(" ") : expected.code;
  if (outcome.kind !== "refused") return `expected ${wanted}, ${summaryOf(outcome)}`;
  const { faults } = outcome;
  const agrees =
    expected.kind === "refused_for"
      ? faults.every(({ code }) => code === expected.code)
      : faults.length === expected.faults.length &&
        expected.faults.every((one) => faults.some((fault) => isExpectedFault(one, fault)));
  if (!agrees) return `expected ${wanted}, ${summaryOf(outcome)}`;
  return expected.kind === "refused" ? conflictDisagreement(expected.conflicts, outcome) : null;
}

function mergeDisagreement(expected: readonly string[] | null, actual: readonly string[]) {
  if (expected === null || canonicalJson(expected) === canonicalJson(actual)) return null;
  return `merged ${actual.map(shown).join(" ") || "nothing"}`;
}

function conflictDisagreement(
  expected: readonly ExpectedConflict[] | null,
  { conflicts = [] }: Extract<EngineOutcome, { kind: "refused" }>,
): string | null {
  const actual = conflicts.map(({ file, hunks }) => ({
    file,
    hunks: hunks.map(({ base, ours, theirs }) => ({
      base: [base.start, base.lines],
      ours: [ours.start, ours.lines],
      theirs: [theirs.start, theirs.lines],
    })),
  }));
  if (expected === null || canonicalJson(expected) === canonicalJson(actual)) return null;
  return `conflicts are ${JSON.stringify(actual)}`;
}

function isExpectedFault(expected: ExpectedFault, actual: ExpectedFault): boolean {
  return (
    expected.code === actual.code &&
    (expected.index === undefined || expected.index === actual.index) &&
    (expected.file === undefined || expected.file === actual.file)
  );
}

function textOf(content: string | Uint8Array | undefined): string {
  if (content === undefined) return "absent";
  const bytes = typeof content === "string" ? Buffer.from(content, "base64") : Buffer.from(content);
  return JSON.stringify(bytes.toString("utf8"));
}

/** A path of a vector can be hostile to a terminal. */
function shown(path: string): string {
  return JSON.stringify(path);
}
