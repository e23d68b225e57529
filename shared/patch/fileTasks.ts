import type { PatchFile, PatchSet } from "../contracts/aiPatch.ts";
import { byCodeUnit, type IndexedPatch } from "./faults.ts";

/** One file of a set with its patches, in the order of the array. */
export type FileTask = { path: string; file: PatchFile; patches: IndexedPatch[] };

/** The files of a set by path. A patch of a file that has no entry is an edit of it. */
export function fileTasks(files: PatchSet["files"], patches: readonly IndexedPatch[]): FileTask[] {
  const tasks = new Map<string, FileTask>();
  for (const [path, file] of Object.entries(files)) tasks.set(path, { path, file, patches: [] });
  for (const item of patches) {
    const path = item.patch.file;
    const task = tasks.get(path) ?? { path, file: { op: "edit" }, patches: [] };
    task.patches.push(item);
    tasks.set(path, task);
  }
  return [...tasks.values()].sort((a, b) => byCodeUnit(a.path, b.path));
}
