import type { PatchSet } from "../../contracts/aiPatch.ts";
import type { AppliedOutcome } from "../apply.ts";
import { byCodeUnit } from "../faults.ts";
import type { ReadFile, TreeFile } from "../treeFile.ts";

/** One file before and after, null = absent. `from` is where a renamed or copied file comes from. */
export type FileChange = {
  path: string;
  from?: { path: string; kind: "rename" | "copy" };
  before: TreeFile | null;
  after: TreeFile | null;
};

/** What an applied set did, file by file. `readFile` answers with the tree before the set. */
export async function fileChanges(
  set: Pick<PatchSet, "files">,
  { files }: AppliedOutcome,
  readFile: ReadFile,
): Promise<FileChange[]> {
  const moves = await movesOf(set, files, readFile);
  const sources = new Set(moves.flatMap(({ from }) => (from?.kind === "rename" ? from.path : [])));
  const targets = new Set(moves.map(({ path }) => path));
  const changes: FileChange[] = [...moves];
  for (const [path, after] of files) {
    if (targets.has(path)) continue;
    // What stands where a renamed file was is a file of its own.
    const before = sources.has(path) ? null : ((await readFile(path)) ?? null);
    if (before !== null || after !== null) changes.push({ path, before, after });
  }
  return changes.sort((a, b) => byCodeUnit(a.path, b.path));
}

/** A file that a set renames onto its like is told too, since it makes room for another. */
async function movesOf(
  set: Pick<PatchSet, "files">,
  files: AppliedOutcome["files"],
  readFile: ReadFile,
): Promise<FileChange[]> {
  const moves: FileChange[] = [];
  if (files.size === 0) return moves;
  for (const [path, { op: kind, from }] of Object.entries(set.files)) {
    if ((kind !== "rename" && kind !== "copy") || from === undefined) continue;
    const before = (await readFile(from)) ?? null;
    const after = files.get(path) ?? (await readFile(path)) ?? null;
    moves.push({ path, from: { path: from, kind }, before, after });
  }
  return moves;
}
