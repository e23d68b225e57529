import type { PatchFile } from "../contracts/aiPatch.ts";
import type { ReviewedFile } from "./check.ts";
import type { KnownTree } from "./knownTree.ts";
import { directoriesOf } from "./paths.ts";
import type { ShapeFault } from "./shape.ts";

/** The paths that a set leaves empty before anything new is put there. */
export type Vacated = { renamed: ReadonlySet<string>; deleted: ReadonlySet<string> };

const nothingVacated: Vacated = { renamed: new Set(), deleted: new Set() };

export function vacatedBy(files: readonly ReviewedFile[]): Vacated {
  if (files.every(({ file }) => file.op !== "rename" && file.op !== "delete"))
    return nothingVacated;
  const renamed = new Set<string>();
  const deleted = new Set<string>();
  for (const { path, file } of files) {
    if (file.op === "rename") renamed.add(file.from ?? "");
    if (file.op === "delete") deleted.add(path);
  }
  return { renamed, deleted };
}

/** What stands in the way of an operation in the tree as it is: something missing, something there, a symlink. */
export function existenceFaults(
  path: string,
  { op, from }: PatchFile,
  tree: KnownTree,
  vacated: Vacated,
): readonly ShapeFault[] {
  if (op === "edit" || op === "replace" || op === "delete") return presenceFaults(path, tree);
  const sourceFaults = from === undefined ? nothing : presenceFaults(from, tree);
  return [...sourceFaults, ...absenceFaults(path, tree, vacated)];
}

function presenceFaults(path: string, tree: KnownTree): readonly ShapeFault[] {
  const file = tree.get(path);
  if (file?.mode === "120000") return [symlinkFault];
  if (file !== undefined) return nothing;
  for (const directory of directoriesOf(path))
    if (tree.get(directory)?.mode === "120000") return [belowSymlinkFault];
  return [{ code: "missing_file", message: "there is no such file" }];
}

function absenceFaults(
  path: string,
  tree: KnownTree,
  { renamed, deleted }: Vacated,
): readonly ShapeFault[] {
  if (!renamed.has(path) && tree.get(path) !== undefined)
    return [{ code: "file_exists", message: "the path is taken" }];
  for (const directory of directoriesOf(path)) {
    const file = tree.get(directory);
    if (file?.mode === "120000") return [belowSymlinkFault];
    if (file !== undefined && !renamed.has(directory) && !deleted.has(directory))
      return [{ code: "file_exists", message: "a directory of the path is taken by a file" }];
  }
  return nothing;
}

const nothing: readonly ShapeFault[] = [];

const symlinkFault: ShapeFault = {
  code: "path_not_allowed",
  message: "symbolic links are not patched",
};

const belowSymlinkFault: ShapeFault = {
  code: "path_not_allowed",
  message: "lies below a symbolic link",
};
