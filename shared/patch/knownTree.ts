import type { ReviewedFile } from "./check.ts";
import { directoriesOf } from "./paths.ts";
import { isPending, type Soon, whenThere } from "./soon.ts";
import type { ReadFile, TreeFile } from "./treeFile.ts";

/** The tree before the set, as far as the set has to do with it. */
export type KnownTree = ReadonlyMap<string, TreeFile | undefined>;

/**
 * Reads what a set starts from and what may stand in its way, each path once. A tree that answers at once is read
 * without waiting.
 */
export function readTree(files: readonly ReviewedFile[], readFile: ReadFile): Soon<KnownTree> {
  const tree = new Map<string, TreeFile | undefined>();
  return whenThere(readInto(tree, namedPaths(files), readFile), () =>
    readInto(tree, directoriesInQuestion(files, tree), readFile),
  );
}

function readInto(
  tree: Map<string, TreeFile | undefined>,
  paths: readonly string[],
  readFile: ReadFile,
): Soon<KnownTree> {
  const pending: Promise<void>[] = [];
  for (const path of paths) {
    if (tree.has(path)) continue;
    const file = readFile(path);
    tree.set(path, isPending(file) ? undefined : file);
    if (isPending(file)) pending.push(file.then((found) => void tree.set(path, found)));
  }
  return pending.length > 0 ? Promise.all(pending).then(() => tree) : tree;
}

function namedPaths(files: readonly ReviewedFile[]): string[] {
  const paths: string[] = [];
  for (const { path, file } of files) {
    paths.push(path);
    if (file.from !== undefined) paths.push(file.from);
  }
  return paths;
}

/** Those of a path that is to be free, and of one where no file is: a symlink above it may say why. */
function directoriesInQuestion(files: readonly ReviewedFile[], tree: KnownTree): string[] {
  const directories: string[] = [];
  for (const { path, file } of files) {
    const isNew = file.op === "create" || file.op === "rename" || file.op === "copy";
    if (isNew || tree.get(path) === undefined) directories.push(...directoriesOf(path));
    const { from } = file;
    if (from !== undefined && tree.get(from) === undefined)
      directories.push(...directoriesOf(from));
  }
  return directories;
}
