import { readdir } from "node:fs/promises";
import { SwitchyardError } from "../../../shared/errors.ts";
import { type BytePath, toText } from "./bytePath.ts";
import { submoduleMode, type TreeEntry } from "./objects.ts";
import { inside, listForPeople, type WorktreeFile } from "./worktreeFiles.ts";

/** The empty folder of a submodule that nobody filled is as it should be; anything else is a change. */
export async function refuseTouchedSubmodules(
  root: string,
  base: ReadonlyMap<BytePath, TreeEntry>,
  files: ReadonlyMap<BytePath, WorktreeFile>,
): Promise<void> {
  const touched: BytePath[] = [];
  for (const [path, entry] of base) {
    if (entry.mode !== submoduleMode) continue;
    const isFolder = files.get(path)?.kind === "folder";
    if (!isFolder || (await readdir(inside(root, path))).length > 0) touched.push(path);
  }
  if (touched.length > 0)
    throw refused(
      `The agent changed submodules, which no patch can hold: ${listForPeople(touched)}.`,
    );
}

/** A hard link into a workspace would have the runner read for the agent what the agent may not read. */
export function refuseFilesOfOthers(
  files: ReadonlyMap<BytePath, WorktreeFile>,
  owner: number,
): void {
  const foreign = [...files].filter(([, file]) => file.kind === "file" && file.owner !== owner);
  if (foreign.length > 0)
    throw refused(
      `These files are not the agent's own: ${listForPeople(foreign.map(([path]) => path))}.`,
    );
}

export function refuseLargeFiles(
  paths: readonly BytePath[],
  files: ReadonlyMap<BytePath, WorktreeFile>,
  maxBytes: number,
): void {
  const large = paths.filter((path) => {
    const file = files.get(path);
    return file?.kind === "file" && file.bytes > maxBytes;
  });
  if (large.length > 0)
    throw new SwitchyardError(
      "patch_too_large",
      `These files are larger than a patch may be: ${listForPeople(large)}.`,
    );
}

export function refuseOddNames(paths: readonly BytePath[]): void {
  const odd = paths.filter((path) => toText(path) === null || /(^|\/)\.git(\/|$)/i.test(path));
  if (odd.length > 0)
    throw refused(`These file names cannot be part of a patch: ${listForPeople(odd)}.`);
}

const refused = (message: string) => new SwitchyardError("unpatchable", message);
