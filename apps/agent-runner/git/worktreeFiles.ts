import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type BytePath, folderOf, fromBytes, toBytes, toDisplay } from "./bytePath.ts";

/** What stands at a path of a work tree, seen without following a link. */
export type WorktreeFile =
  | { kind: "file"; mode: "100644" | "100755"; bytes: number; owner: number }
  | { kind: "symlink"; target: Buffer }
  | { kind: "folder" }
  | { kind: "special" }
  | { kind: "missing" };

const inAtOnce = 64;

export async function lookAt(
  root: string,
  paths: readonly BytePath[],
): Promise<Map<BytePath, WorktreeFile>> {
  const folders = new Map<BytePath, Promise<boolean>>([["", Promise.resolve(true)]]);
  const seen = new Map<BytePath, WorktreeFile>();
  for (let at = 0; at < paths.length; at += inAtOnce) {
    const batch = paths.slice(at, at + inAtOnce);
    const files = await Promise.all(batch.map((path) => lookAtOne(root, path, folders)));
    batch.forEach((path, index) => {
      seen.set(path, files[index] ?? { kind: "missing" });
    });
  }
  return seen;
}

/** Sockets, pipes and devices in these folders: git does not see them, and no patch can hold them. */
export async function findSpecialFiles(
  root: string,
  folders: Iterable<BytePath>,
): Promise<BytePath[]> {
  const found: BytePath[] = [];
  for (const folder of folders) {
    const options = { withFileTypes: true, encoding: "buffer" } as const;
    const entries = await readdir(inside(root, folder), options).catch(() => []);
    for (const entry of entries)
      if (!entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink())
        found.push(folder + fromBytes(entry.name));
  }
  return found;
}

export const inside = (root: string, path: BytePath): Buffer =>
  Buffer.concat([Buffer.from(join(root, "/")), toBytes(path)]);

async function lookAtOne(
  root: string,
  path: BytePath,
  folders: Map<BytePath, Promise<boolean>>,
): Promise<WorktreeFile> {
  if (!(await isRealFolder(root, folderOf(path), folders))) return { kind: "missing" };
  const stats = await lstat(inside(root, path)).catch(nullWhenMissing);
  if (stats === null) return { kind: "missing" };
  if (stats.isFile())
    return {
      kind: "file",
      mode: stats.mode & 0o100 ? "100755" : "100644",
      bytes: stats.size,
      owner: stats.uid,
    };
  if (stats.isSymbolicLink())
    return { kind: "symlink", target: await readlink(inside(root, path), { encoding: "buffer" }) };
  return { kind: stats.isDirectory() ? "folder" : "special" };
}

/** False when the folder, or one above it, is a link: what lies behind it is not part of the work tree. */
function isRealFolder(
  root: string,
  folder: BytePath,
  known: Map<BytePath, Promise<boolean>>,
): Promise<boolean> {
  const before = known.get(folder);
  if (before !== undefined) return before;
  const path = folder.slice(0, -1);
  const answer = isRealFolder(root, folderOf(path), known).then(async (isParentReal) => {
    if (!isParentReal) return false;
    const stats = await lstat(inside(root, path)).catch(nullWhenMissing);
    return stats?.isDirectory() ?? false;
  });
  known.set(folder, answer);
  return answer;
}

function nullWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
  throw error;
}

export const listForPeople = (paths: readonly BytePath[]): string =>
  paths.length <= 5
    ? paths.map(toDisplay).join(", ")
    : `${paths.slice(0, 5).map(toDisplay).join(", ")} and ${paths.length - 5} more`;
