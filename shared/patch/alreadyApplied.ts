import type { ReviewedFile } from "./check.ts";
import { sha256Hex } from "./hashes.ts";
import type { TreeReader } from "./treeReader.ts";

/** True when every file of the set says what it ends as, and each is so already. */
export async function isAlreadyApplied(
  files: readonly ReviewedFile[],
  tree: TreeReader,
): Promise<boolean> {
  // That all deleted files are absent says nothing: perhaps they never were there.
  if (!files.some(({ file }) => file.post?.sha256 !== undefined)) return false;
  const paths = new Set(files.map(({ path }) => path));
  for (const file of files) if (!(await holdsAlready(file, paths, tree))) return false;
  return true;
}

async function holdsAlready(
  { path, file }: ReviewedFile,
  paths: ReadonlySet<string>,
  tree: TreeReader,
): Promise<boolean> {
  const actual = await tree(path);
  if (file.op === "delete") return actual === undefined;
  if (actual === undefined) return false;
  if (file.mode !== undefined && file.mode !== actual.mode) return false;
  const isGone = file.op !== "rename" || file.from === undefined || paths.has(file.from);
  if (!isGone && (await tree(file.from ?? "")) !== undefined) return false;
  return (await sha256Hex(actual.bytes)) === file.post?.sha256;
}
