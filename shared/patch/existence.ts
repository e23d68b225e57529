import type { PatchFile } from "../contracts/aiPatch.ts";
import type { ReviewedFile } from "./check.ts";
import { directoriesOf } from "./paths.ts";
import type { ShapeFault } from "./shape.ts";
import type { TreeReader } from "./treeReader.ts";

/** The paths that a set leaves empty before anything new is put there. */
export type Vacated = { renamed: ReadonlySet<string>; deleted: ReadonlySet<string> };

export function vacatedBy(files: readonly ReviewedFile[]): Vacated {
  const renamed = files.flatMap(({ file }) => (file.op === "rename" ? [file.from ?? ""] : []));
  const deleted = files.flatMap(({ path, file }) => (file.op === "delete" ? [path] : []));
  return { renamed: new Set(renamed), deleted: new Set(deleted) };
}

/** What stands in the way of an operation in the tree as it is: something missing, something there, a symlink. */
export async function existenceFaults(
  path: string,
  { op, from }: PatchFile,
  tree: TreeReader,
  vacated: Vacated,
): Promise<ShapeFault[]> {
  if (op === "edit" || op === "replace" || op === "delete") return presenceFaults(path, tree);
  const sourceFaults = from === undefined ? [] : await presenceFaults(from, tree);
  return [...sourceFaults, ...(await absenceFaults(path, tree, vacated))];
}

async function presenceFaults(path: string, tree: TreeReader): Promise<ShapeFault[]> {
  const file = await tree(path);
  if (file?.mode === "120000") return [symlinkFault];
  if (file !== undefined) return [];
  for (const directory of directoriesOf(path))
    if ((await tree(directory))?.mode === "120000") return [belowSymlinkFault];
  return [{ code: "missing_file", message: "there is no such file" }];
}

async function absenceFaults(
  path: string,
  tree: TreeReader,
  { renamed, deleted }: Vacated,
): Promise<ShapeFault[]> {
  if (!renamed.has(path) && (await tree(path)) !== undefined)
    return [{ code: "file_exists", message: "the path is taken" }];
  for (const directory of directoriesOf(path)) {
    const file = await tree(directory);
    if (file?.mode === "120000") return [belowSymlinkFault];
    if (file !== undefined && !renamed.has(directory) && !deleted.has(directory))
      return [{ code: "file_exists", message: "a directory of the path is taken by a file" }];
  }
  return [];
}

const symlinkFault: ShapeFault = {
  code: "path_not_allowed",
  message: "symbolic links are not patched",
};

const belowSymlinkFault: ShapeFault = {
  code: "path_not_allowed",
  message: "lies below a symbolic link",
};
