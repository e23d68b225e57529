import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FileChange } from "../../shared/patch/diff/fileChanges.ts";
import { writeGitDiff } from "../../shared/patch/diff/writeGitDiff.ts";
import type { TreeFile } from "../../shared/patch/treeFile.ts";
import { differenceOf, type Tree } from "./roundTrip.ts";

/** `changes` lead from one tree to the other, `back` are those of the inverse set. */
export type Step = {
  before: Tree;
  after: Tree;
  changes: readonly FileChange[];
  back: readonly FileChange[];
};

/**
 * Writes our diff of many steps, each below a directory of its own, and lets one real `git apply` apply it to the
 * files before; then the diff of the inverse sets; then the first again, and `git apply -R`, without copies, which
 * git cannot reverse. Null when git makes the right files each time; else the difference.
 */
export async function appliedByGit(steps: readonly Step[]): Promise<string | null> {
  const place = mkdtempSync(path.join(tmpdir(), "aipatch-git-"));
  try {
    const tree = path.join(place, "tree");
    const before = together(steps.map((step) => step.before));
    const after = together(steps.map((step) => step.after));
    writeTree(tree, before);
    const diff = async (of: (step: Step) => readonly FileChange[]) => {
      const file = path.join(place, "diff");
      writeFileSync(file, await writeGitDiff(steps.flatMap((step, at) => below(at, of(step)))));
      return file;
    };
    const forth = ({ changes }: Step) => changes;
    const reversible = (step: Step) => (isReversible(step) ? step.changes : []);
    return (
      runGit(tree, await diff(forth), []) ??
      told("git apply", readTree(tree), after) ??
      runGit(tree, await diff(({ back }) => back), []) ??
      told("git apply of the inverse", readTree(tree), before) ??
      runGit(tree, await diff(reversible), []) ??
      runGit(tree, await diff(reversible), ["-R"]) ??
      told("git apply -R", readTree(tree), before)
    );
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The diff that git makes of the files before and after, of all steps at once; paths are as in `together`. */
export function diffByGit(before: Tree, after: Tree): Uint8Array {
  const place = mkdtempSync(path.join(tmpdir(), "aipatch-git-"));
  try {
    writeTree(path.join(place, "a"), before);
    writeTree(path.join(place, "b"), after);
    const form = ["--no-prefix", "--binary", "--full-index", "--no-renames", "--no-color"];
    const run = spawnSync("git", ["diff", "--no-index", ...form, "a", "b"], {
      cwd: place,
      maxBuffer: 2 ** 31 - 1,
    });
    if (run.status === null || run.status > 1) throw new Error(`git diff: ${run.stderr}`);
    return run.stdout;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

export function together(trees: readonly Tree[]): Tree {
  return new Map(
    trees.flatMap((tree, at) => [...tree].map(([name, file]) => [`c${at}/${name}`, file] as const)),
  );
}

function below(at: number, changes: readonly FileChange[]): FileChange[] {
  return changes.map((change) => ({
    ...change,
    path: `c${at}/${change.path}`,
    ...(change.from ? { from: { ...change.from, path: `c${at}/${change.from.path}` } } : {}),
  }));
}

function told(what: string, actual: Tree, expected: Tree): string | null {
  const difference = differenceOf(actual, expected);
  return difference === null ? null : `${what}: ${difference}`;
}

const isReversible = ({ changes }: Step): boolean =>
  changes.every(({ from }) => from?.kind !== "copy");

function runGit(tree: string, diff: string, options: string[]): string | null {
  if (statSync(diff).size === 0) return null;
  const settings = ["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn"];
  const run = spawnSync("git", [...settings, ...options, diff], { cwd: tree, encoding: "utf8" });
  return run.status === 0 ? null : `git apply ${options.join("")}: ${run.stderr}`;
}

export function writeTree(root: string, tree: Tree): void {
  mkdirSync(root, { recursive: true });
  for (const [name, { bytes, mode }] of tree) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    chmodSync(file, mode === "100755" ? 0o755 : 0o644);
  }
}

export function readTree(root: string, prefix = ""): Map<string, TreeFile> {
  const tree = new Map<string, TreeFile>();
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const file = path.join(root, entry.name);
    const name = prefix + entry.name;
    if (entry.isDirectory())
      for (const [inner, one] of readTree(file, `${name}/`)) tree.set(inner, one);
    else {
      const mode = statSync(file).mode & 0o100 ? "100755" : "100644";
      tree.set(name, { bytes: readFileSync(file), mode });
    }
  }
  return tree;
}
