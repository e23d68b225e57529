import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { type AppliedOutcome, applyPatchSet } from "../../shared/patch/apply.ts";
import { equalBytes } from "../../shared/patch/bytes.ts";
import { type FileChange, fileChanges } from "../../shared/patch/diff/fileChanges.ts";
import { patchSetFromDiff } from "../../shared/patch/diff/patchSetFromDiff.ts";
import { invertPatchSet } from "../../shared/patch/invert.ts";
import type { TreeFile } from "../../shared/patch/treeFile.ts";

export type Tree = ReadonlyMap<string, TreeFile>;

/**
 * What came of a commit. `refused` names the class: for what a policy says (a protected path, a limit) or the format
 * excludes (symlinks and submodules). `false_refusal` and `wrong` are faults of the engine.
 */
export type RoundTrip =
  | { kind: "held"; isProtected: boolean; changes: FileChange[]; back: FileChange[] }
  | { kind: "refused"; because: string }
  | { kind: "false_refusal" | "wrong"; message: string };

const classes = new Map([
  ["path_not_allowed", "symlink or submodule"],
  ["too_large", "limit"],
]);

/**
 * A diff of git as a set, applied to the files before: it must make the files after, and its inverse those before.
 * Both ways again through a diff of our own are left to git, see gitApply.ts.
 */
export async function roundTrip(diff: Uint8Array, before: Tree, after: Tree): Promise<RoundTrip> {
  const readFile = (path: string) => before.get(path);
  const naming = { id: "s", taskId: "t", provider: "git", base: {} };
  const converted = await patchSetFromDiff(diff, naming, readFile);
  if (converted.kind === "refused") return refusal(converted.faults);
  const { set } = converted;
  const asked = await applyPatchSet(set, readFile, { baseIsHead: true });
  const isProtected = asked.kind === "refused" && asked.faults.every(isOfProtection);
  const outcome = isProtected
    ? await applyPatchSet(set, readFile, { baseIsHead: true, allowProtected: true })
    : asked;
  if (outcome.kind === "refused") return refusal(outcome.faults);
  if (outcome.kind !== "applied") return { kind: "wrong", message: outcome.kind };
  const made = treeAfter(before, outcome.files);
  const difference = differenceOf(made, after);
  if (difference !== null) return { kind: "wrong", message: difference };
  const back = await takenBack(set, outcome, before);
  if (typeof back === "string") return { kind: "wrong", message: back };
  return { kind: "held", isProtected, changes: await fileChanges(set, outcome, readFile), back };
}

const isOfProtection = ({ code }: { code: string }): boolean => code === "protected_path";

function refusal(
  faults: readonly { code: string; file: string | null; message: string }[],
): RoundTrip {
  const strange = faults.find(({ code }) => !classes.has(code) && code !== "protected_path");
  if (strange !== undefined) {
    const { code, file, message } = strange;
    return { kind: "false_refusal", message: `${code} ${JSON.stringify(file)}: ${message}` };
  }
  return { kind: "refused", because: classes.get(faults[0]?.code ?? "") ?? "protected path" };
}

/** What the inverse of an applied set changes, or why it does not give the tree back. */
export async function takenBack(
  set: PatchSet,
  outcome: AppliedOutcome,
  before: Tree,
): Promise<FileChange[] | string> {
  const made = treeAfter(before, outcome.files);
  const inverse = await invertPatchSet(set, outcome, (path) => before.get(path));
  const readMade = (path: string) => made.get(path);
  const back = await applyPatchSet(inverse, readMade, { allowProtected: true });
  if (back.kind === "refused")
    return `the inverse is refused: ${back.faults.map(({ code }) => code).join(" ")}`;
  if (back.kind === "already_applied") return "the inverse says that it is applied already";
  const difference = differenceOf(treeAfter(made, back.files), before);
  if (difference !== null) return `the inverse makes another tree: ${difference}`;
  return fileChanges(inverse, back, readMade);
}

export function treeAfter(tree: Tree, files: ReadonlyMap<string, TreeFile | null>): Tree {
  const after = new Map(tree);
  for (const [path, file] of files) {
    if (file === null) after.delete(path);
    else after.set(path, file);
  }
  return after;
}

/** Where two trees differ, in words; null when they do not. */
export function differenceOf(actual: Tree, expected: Tree): string | null {
  for (const path of new Set([...actual.keys(), ...expected.keys()])) {
    const [one, other] = [actual.get(path), expected.get(path)];
    if (one === undefined || other === undefined)
      return `${JSON.stringify(path)} is ${one === undefined ? "missing" : "too many"}`;
    if (one.mode !== other.mode) return `${JSON.stringify(path)} has mode ${one.mode}`;
    if (!equalBytes(one.bytes, other.bytes)) return `${JSON.stringify(path)} has other bytes`;
  }
  return null;
}
