import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import { directoriesOf, pathFault } from "../../../../shared/patch/paths.ts";
import type { ReadFile } from "../../../../shared/patch/treeFile.ts";
import type { Forge, TreeEntry } from "../../domain/ports/runner.ts";

/** What a set can ask of the tree of a commit, read at once. */
export type SetTree = { readFile: ReadFile; entryAt(path: string): TreeEntry };

/** Errors: those of `Forge.readFiles`. */
export async function treeOfSet(
  forge: Forge,
  source: Source,
  commit: string,
  set: PatchSet,
): Promise<SetTree> {
  const entries = await forge.readFiles(source, commit, pathsOf(set));
  const entryAt = (path: string): TreeEntry => entries.get(path) ?? { kind: "absent" };
  return {
    entryAt,
    readFile(path) {
      const entry = entryAt(path);
      return entry.kind === "file" ? entry.file : undefined;
    },
  };
}

/** What stands at a directory of a path decides, too. A path that the engines refuse is not read. */
function pathsOf(set: PatchSet): string[] {
  const named = [
    ...Object.entries(set.files).flatMap(([path, { from }]) => [path, from ?? path]),
    ...set.patches.map(({ file }) => file),
  ].filter((path) => pathFault(path) === null);
  return [...new Set(named.flatMap((path) => [path, ...directoriesOf(path)]))];
}
