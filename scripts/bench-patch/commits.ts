import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import path from "node:path";
import type { TreeFile } from "../../shared/patch/treeFile.ts";

/** The files that a commit changes, before and after, and git's own diff of them. */
export type Commit = {
  name: string;
  diff: Uint8Array;
  before: ReadonlyMap<string, TreeFile>;
  after: ReadonlyMap<string, TreeFile>;
};

type Change = {
  oldMode: string;
  newMode: string;
  oldId: string;
  newId: string;
  from: string;
  to: string;
};

/** A commit against its parent, or one tree against another. */
export type Range = { name: string; from: string; to: string };

const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** The commits of a history without merges, the newest first. None when there is no such repository. */
export function commitsOf(repository: string, limit: number): Range[] {
  return parentsOf(repository, ["--no-merges", `-n${limit}`]).map(
    ([to = "", from = emptyTree]) => ({
      name: to,
      from,
      to,
    }),
  );
}

/** Every merge against each of its parents. */
export function mergesOf(repository: string): Range[] {
  return parentsOf(repository, ["--merges"]).flatMap(([to = "", ...parents]) =>
    parents.map((from, at) => ({ name: `${to}^${at + 1}`, from, to })),
  );
}

/** The way back, which nobody committed either. */
export function reversed(ranges: readonly Range[]): Range[] {
  return ranges.map(({ name, from, to }) => ({ name: `${name} reversed`, from: to, to: from }));
}

/** Why a folder has no whole history of its own; null when it has one. */
export function historyGap(repository: string): string | null {
  const top = git(repository, ["rev-parse", "--show-toplevel"], "", true).toString().trim();
  if (top === "" || path.relative(realpathSync(top), realpathSync(repository)) !== "")
    return "no git history is here: an export holds none";
  const isShallow = git(repository, ["rev-parse", "--is-shallow-repository"], "", true);
  return isShallow.toString().trim() === "true"
    ? "the clone is shallow: git fetch --unshallow brings the rest"
    : null;
}

function parentsOf(repository: string, options: string[]): string[][] {
  return git(repository, ["rev-list", "--parents", ...options, "HEAD"], "", true)
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "));
}

/** Trees of one history that are some commits apart: real contents, though nobody committed that step. */
export function stepsApart(ranges: readonly Range[], distances: readonly number[]): Range[] {
  return distances.flatMap((distance) =>
    ranges.slice(distance).flatMap(({ to: from }, at) => {
      const to = ranges[at]?.to ?? "";
      return [{ name: `${from}..${to}`, from, to }];
    }),
  );
}

/** Reads what lies between two trees; null when an object is not there, as in a shallow history. */
export function readCommit(repository: string, { name, from, to }: Range): Commit | null {
  const compared = ["diff-tree", "-r", "-M", "--no-commit-id", "--full-index"];
  const raw = git(repository, [...compared, "--raw", "-z", from, to], "", true).toString("latin1");
  const changes = changesIn(raw);
  const ids = changes
    .flatMap(({ oldId, newId }) => [oldId, newId])
    .filter((id) => !/^0+$/.test(id));
  const blobs = blobsOf(repository, ids);
  if (blobs === null) return null;
  const form = ["-p", "--binary", "--no-color", "--no-ext-diff", "--no-textconv"];
  const diff = git(repository, [...compared, ...form, from, to], "", false);
  const sides = { before: new Map<string, TreeFile>(), after: new Map<string, TreeFile>() };
  for (const change of changes) {
    put(sides.before, change.from, change.oldMode, blobs.get(change.oldId));
    put(sides.after, change.to, change.newMode, blobs.get(change.newId));
  }
  return { name, diff, ...sides };
}

function put(side: Map<string, TreeFile>, path: string, mode: string, bytes?: Uint8Array): void {
  if (mode === "000000") return;
  side.set(path, { bytes: bytes ?? new Uint8Array(0), mode: mode as TreeFile["mode"] });
}

function changesIn(raw: string): Change[] {
  const parts = raw.split("\0");
  const changes: Change[] = [];
  for (let at = 0; at + 1 < parts.length; ) {
    const [oldMode = "", newMode = "", oldId = "", newId = "", status = ""] = (parts[at] ?? "")
      .slice(1)
      .split(" ");
    const isMove = /^[RC]/.test(status);
    const from = utf8(parts[at + 1] ?? "");
    const to = isMove ? utf8(parts[at + 2] ?? "") : from;
    changes.push({ oldMode, newMode, oldId, newId, from, to });
    at += isMove ? 3 : 2;
  }
  return changes;
}

const utf8 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");

function blobsOf(repository: string, ids: readonly string[]): Map<string, Uint8Array> | null {
  const output = git(repository, ["cat-file", "--batch"], `${ids.join("\n")}\n`, true);
  const blobs = new Map<string, Uint8Array>();
  for (let at = 0; blobs.size < new Set(ids).size; ) {
    const end = output.indexOf(10, at);
    if (end === -1) return null;
    const [id = "", kind, size] = output.subarray(at, end).toString().split(" ");
    // A submodule is a commit, and none of this repository.
    if (kind === "missing") {
      blobs.set(id, new Uint8Array(0));
      at = end + 1;
      continue;
    }
    blobs.set(id, output.subarray(end + 1, end + 1 + Number(size)));
    at = end + 2 + Number(size);
  }
  return blobs;
}

function git(repository: string, args: string[], input: string, isQuiet: boolean): Buffer {
  const settings = [
    "-c",
    "core.quotePath=true",
    "-c",
    "diff.noprefix=false",
    "-c",
    "diff.renameLimit=0",
  ];
  const run = spawnSync("git", ["-C", repository, ...settings, ...args], {
    input,
    maxBuffer: 2 ** 31 - 1,
  });
  if (run.status !== 0 && !isQuiet) throw new Error(`git ${args[0]}: ${run.stderr}`);
  return run.stdout ?? Buffer.alloc(0);
}
