import type { ReviewedFile } from "./check.ts";
import { sha256Hex } from "./hashes.ts";
import type { KnownTree } from "./knownTree.ts";

/** That all deleted files are absent says nothing: perhaps they never were there. */
export function saysHowItEnds(files: readonly ReviewedFile[]): boolean {
  return files.some(({ file }) => file.post?.sha256 !== undefined);
}

/** True when every file of a set that says how it ends is so already. */
export async function isAlreadyApplied(
  files: readonly ReviewedFile[],
  tree: KnownTree,
): Promise<boolean> {
  const paths = new Set(files.map(({ path }) => path));
  for (const file of files) if (!(await holdsAlready(file, paths, tree))) return false;
  return true;
}

async function holdsAlready(
  { path, file }: ReviewedFile,
  paths: ReadonlySet<string>,
  tree: KnownTree,
): Promise<boolean> {
  const actual = tree.get(path);
  if (file.op === "delete") return actual === undefined;
  if (actual === undefined) return false;
  if (file.mode !== undefined && file.mode !== actual.mode) return false;
  const isGone = file.op !== "rename" || file.from === undefined || paths.has(file.from);
  if (!isGone && tree.get(file.from ?? "") !== undefined) return false;
  return (await sha256Hex(actual.bytes)) === file.post?.sha256;
}
