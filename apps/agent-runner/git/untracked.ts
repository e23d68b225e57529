import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SwitchyardError } from "../../../shared/errors.ts";
import { type BytePath, folderOf, splitNul, toBytes } from "./bytePath.ts";
import { type GitPlace, lastLine, tryGit } from "./git.ts";
import { combineIgnoreFiles } from "./ignoreRules.ts";
import { readBlobs, type TreeEntry } from "./objects.ts";
import { inside } from "./worktreeFiles.ts";

/** Which untracked files count: those that the ignore rules of the base leave, or simply all. */
export type IgnoreRules = "of_base" | "none";

type Work = { place: GitPlace & { workTree: string }; base: ReadonlyMap<BytePath, TreeEntry> };

/**
 * Untracked files, not ignored. A nested repository loses its `.git` (which goes to `nested`, beside the
 * work tree) and is then an ordinary folder: git would name it as one entry that no patch can hold.
 */
export async function listUntracked(
  { place, base }: Work,
  rules: IgnoreRules,
  nested: string,
): Promise<BytePath[]> {
  const excludes = join(place.gitDir, "base-excludes");
  const own = rules === "of_base" ? await ignoreFilesOf(place, base) : [];
  await writeFile(excludes, toBytes(combineIgnoreFiles(own)));
  await mkdir(nested, { recursive: true, mode: 0o700 });
  for (let moved = 0; ; ) {
    const paths = await listOthers(place, `--exclude-from=${excludes}`);
    const repositories = paths.filter((path) => path.endsWith("/"));
    if (repositories.length === 0) return paths;
    for (const folder of repositories) {
      await rename(inside(place.workTree, `${folder}.git`), join(nested, String(moved)));
      moved += 1;
    }
  }
}

/** Those of these files that the .gitignore files, as they stand in the work tree now, would hide. */
export async function hiddenByPresentRules(
  place: GitPlace,
  paths: readonly BytePath[],
): Promise<BytePath[]> {
  const shown = new Set(await listOthers(place, "--exclude-per-directory=.gitignore"));
  return paths.filter((path) => !shown.has(path));
}

/** A folder that git may not read is a warning to git; here it would be a file lost without a word. */
async function listOthers(place: GitPlace, rules: string): Promise<BytePath[]> {
  const outcome = await tryGit(place, ["ls-files", "--others", "-z", rules]);
  if (outcome.exitCode === 0 && outcome.stderr === "") return splitNul(outcome.stdout);
  throw new SwitchyardError(
    "internal",
    `The files of the workspace could not be listed: ${lastLine(outcome.stderr)}`,
  );
}

async function ignoreFilesOf(place: GitPlace, base: ReadonlyMap<BytePath, TreeEntry>) {
  const files = [...base].filter(
    ([path, entry]) =>
      path.slice(folderOf(path).length) === ".gitignore" && entry.mode.startsWith("100"),
  );
  if (files.length === 0) return [];
  const blobs = await readBlobs(
    place,
    files.map(([, entry]) => entry.id),
  );
  return files.map(([path, entry]) => ({
    folder: folderOf(path),
    text: blobs.get(entry.id)?.toString("latin1") ?? "",
  }));
}
