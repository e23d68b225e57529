import type { PatchFile, PatchSet } from "../contracts/aiPatch.ts";
import { byCodeUnit, type IndexedPatch } from "./faults.ts";

/** One file of a set with its patches, in the order of the array. */
export type FileTask = { path: string; file: PatchFile; patches: IndexedPatch[] };

/** The files of a set by path. A patch of a file that has no entry is an edit of it. */
export function fileTasks(files: PatchSet["files"], patches: readonly IndexedPatch[]): FileTask[] {
  const tasks = new Map<string, FileTask>();
  for (const [path, file] of Object.entries(files)) tasks.set(path, { path, file, patches: [] });
  let last: FileTask | undefined;
  for (const item of patches) {
    const path = item.patch.file;
    if (last?.path !== path) last = tasks.get(path);
    if (last === undefined) {
      last = { path, file: { op: "edit" }, patches: [] };
      tasks.set(path, last);
    }
    last.patches.push(item);
  }
  return inOrder([...tasks.values()]);
}

function inOrder(tasks: FileTask[]): FileTask[] {
  const isSorted = tasks.every(({ path }, at) => path >= (tasks[at - 1]?.path ?? ""));
  return isSorted ? tasks : tasks.sort((a, b) => byCodeUnit(a.path, b.path));
}
