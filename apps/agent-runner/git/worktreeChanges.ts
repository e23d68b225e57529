import { SwitchyardError } from "../../../shared/errors.ts";
import { gitBlobId } from "../../../shared/patch/hashes.ts";
import { type BytePath, folderOf } from "./bytePath.ts";
import { type GitPlace, git } from "./git.ts";
import {
  hashFiles,
  listTree,
  submoduleMode,
  symlinkMode,
  type TreeEntry,
  writeBlob,
  writeTree,
} from "./objects.ts";
import {
  refuseFilesOfOthers,
  refuseLargeFiles,
  refuseOddNames,
  refuseTouchedSubmodules,
} from "./unpatchable.ts";
import { hiddenByPresentRules, type IgnoreRules, listUntracked } from "./untracked.ts";
import { findSpecialFiles, lookAt, type WorktreeFile } from "./worktreeFiles.ts";

/** One path that differs between the base commit and the work tree. */
export type TreeChange = { path: BytePath; before: TreeEntry | null; after: TreeEntry | null };

export type WorktreeChanges = {
  treeId: string;
  changes: TreeChange[];
  /** Files of the changes that the .gitignore files of the work tree would have hidden. */
  hidden: BytePath[];
  /** Sockets, pipes and devices: no tree can hold them. */
  leftOut: BytePath[];
};

export type ChangesRequest = {
  place: GitPlace & { workTree: string };
  commit: string;
  rules: IgnoreRules;
  /** A folder beside the work tree for what has to be moved out of it. */
  aside: string;
  /** The one user whose files count; null or absent = any. */
  owner?: number | null;
  /** A new file that is larger cannot be part of a patch, so it is not even read. */
  maxFileBytes: number;
};

/**
 * Compares a work tree with a commit and writes the tree that it is. The work tree may be hostile, so only its
 * bytes are read: no index, no stat cache, no attributes and no configuration of its making.
 */
export async function collectChanges(request: ChangesRequest): Promise<WorktreeChanges> {
  const { place, commit } = request;
  await git(place, ["read-tree", "--reset", commit]);
  const base = await listTree(place, commit);
  const untracked = await listUntracked({ place, base }, request.rules, request.aside);
  const paths = [...base.keys(), ...untracked];
  const files = await lookAt(place.workTree, paths);
  await refuseTouchedSubmodules(place.workTree, base, files);
  const { owner = null } = request;
  if (owner !== null) refuseFilesOfOthers(files, owner);
  refuseLargeFiles(untracked, files, request.maxFileBytes);

  const present = await identify(place, files);
  const changes = paths.flatMap((path) => difference(path, base, present)).sort(byPath);
  refuseOddNames(changes.map(({ path }) => path));
  await writeChanged(place, changes, files);
  const treeId = await writeTree(
    place,
    changes.map(({ path, after }) => [path, after] as const),
  );
  await checkNothingGotLost(place, commit, treeId, changes.length);
  const folders = new Set(paths.map(folderOf));
  const leftOut = await findSpecialFiles(place.workTree, folders);
  return { treeId, changes, leftOut, hidden: await findHidden(place, changes, leftOut) };
}

/** Ids of what stands in the work tree: of files by their bytes, of links by their targets. */
async function identify(
  place: GitPlace & { workTree: string },
  files: ReadonlyMap<BytePath, WorktreeFile>,
): Promise<Map<BytePath, TreeEntry>> {
  const entries = new Map<BytePath, TreeEntry>();
  const regular = [...files].flatMap(([path, file]) =>
    file.kind === "file" ? [{ path, mode: file.mode }] : [],
  );
  const ids = await hashFiles(
    place,
    regular.map(({ path }) => path),
    { write: false },
  );
  regular.forEach(({ path, mode }, index) => {
    entries.set(path, { mode, id: ids[index] ?? "" });
  });
  for (const [path, file] of files)
    if (file.kind === "symlink")
      entries.set(path, { mode: symlinkMode, id: await gitBlobId(file.target) });
  return entries;
}

function difference(
  path: BytePath,
  base: ReadonlyMap<BytePath, TreeEntry>,
  present: ReadonlyMap<BytePath, TreeEntry>,
): TreeChange[] {
  const before = base.get(path) ?? null;
  if (before?.mode === submoduleMode) return [];
  const after = present.get(path) ?? null;
  if (before?.id === after?.id && before?.mode === after?.mode) return [];
  return [{ path, before, after }];
}

async function writeChanged(
  place: GitPlace,
  changes: readonly TreeChange[],
  files: ReadonlyMap<BytePath, WorktreeFile>,
): Promise<void> {
  const changed = changes.filter(({ before, after }) => after !== null && after.id !== before?.id);
  const regular = changed.filter(({ path }) => files.get(path)?.kind === "file");
  await hashFiles(
    place,
    regular.map(({ path }) => path),
    { write: true },
  );
  for (const { path } of changed) {
    const file = files.get(path);
    if (file?.kind === "symlink") await writeBlob(place, file.target);
  }
}

async function findHidden(
  place: GitPlace,
  changes: readonly TreeChange[],
  leftOut: readonly BytePath[],
): Promise<BytePath[]> {
  const isIgnoreFile = (path: BytePath) => path.slice(folderOf(path).length) === ".gitignore";
  if (!changes.some(({ path }) => isIgnoreFile(path)) || leftOut.some(isIgnoreFile)) return [];
  const added = changes.filter(({ before }) => before === null).map(({ path }) => path);
  return hiddenByPresentRules(place, added);
}

/** Git leaves out a path that it takes for unsafe with no more than a warning. */
async function checkNothingGotLost(
  place: GitPlace,
  commit: string,
  treeId: string,
  expected: number,
): Promise<void> {
  const args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", commit, treeId];
  const names = (await git(place, args)).toString("latin1").split("\0").length - 1;
  if (names === expected) return;
  throw new SwitchyardError(
    "unpatchable",
    `The agent changed ${expected} files, but git can hold only ${names} of them.`,
  );
}

const byPath = (one: TreeChange, other: TreeChange): number =>
  one.path < other.path ? -1 : Number(one.path > other.path);
