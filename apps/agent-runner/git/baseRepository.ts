import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GitPlace, git } from "./git.ts";
import type { LocalRepository } from "./localSource.ts";

/** Whatever .gitattributes says, bytes go in and out of git as they are. These rules go before all others. */
const rawBytes = "* -text !eol -filter -ident !working-tree-encoding !diff\n";

/**
 * Makes a bare repository of the runner's own that reads the objects of another one in place and never writes
 * there. Nothing of the other's configuration, hooks or attributes comes with them.
 */
export async function createBaseRepository(
  gitDir: string,
  source: LocalRepository,
): Promise<GitPlace> {
  const place = { gitDir };
  await rm(gitDir, { recursive: true, force: true });
  await mkdir(gitDir, { recursive: true, mode: 0o700 });
  await git(place, ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"]);
  await git(place, ["config", "core.protectNTFS", "false"]);
  await writeRawByteRules(gitDir);
  await mkdir(join(gitDir, "objects", "info"), { recursive: true });
  await writeFile(join(gitDir, "objects", "info", "alternates"), `${cString(source.objects)}\n`);
  await copyFile(source.shallow, join(gitDir, "shallow")).catch(ignoreMissing);
  return place;
}

export async function writeRawByteRules(gitDir: string): Promise<void> {
  await mkdir(join(gitDir, "info"), { recursive: true });
  await writeFile(join(gitDir, "info", "attributes"), rawBytes);
}

/** Fills a folder with the files of a tree, by a repository whose rules are those of `createBaseRepository`. */
export async function exportTree(place: GitPlace, treeish: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = { ...place, workTree: folder, indexFile: join(place.gitDir, "export.index") };
  await git(at, ["read-tree", "--reset", treeish]);
  await git(at, ["checkout-index", "--all", "--force"], { timeLimitMs: 600_000 });
}

/** In a list of alternates a line that starts with a quote is a C string. */
function cString(path: string): string {
  return /^["#]|\n/.test(path) ? JSON.stringify(path) : path;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
