import { readdir, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { removeTree } from "../state/removeTree.ts";

/** Where things of one run are while it is live. */
export type RunPlaces = {
  /** The runner's own repository. It is never there while the agent runs. */
  baseGitDir: string;
  workspace: string;
  /** The run below whose folder the workspace lies: this one, or the one whose session is resumed. */
  workspaceOf: string;
  home: string;
  temporary: string;
  /** For what has to be moved out of the workspace. */
  aside: string;
  moveWorkspace(executionId: string): void;
};

export function runPlaces(folder: string): RunPlaces {
  const places: RunPlaces = {
    baseGitDir: join(folder, "base.git"),
    workspace: join(folder, "workspace"),
    workspaceOf: basename(folder),
    home: join(folder, "home"),
    temporary: join(folder, "tmp"),
    aside: join(folder, "aside"),
    moveWorkspace: (executionId) => {
      places.workspaceOf = executionId;
      places.workspace = join(dirname(folder), executionId, "workspace");
    },
  };
  return places;
}

/** Leaves only what is asked for later: the record, the events and the report. */
export async function clearRunFolder(places: RunPlaces): Promise<void> {
  const { baseGitDir, workspace, home, temporary, aside } = places;
  for (const folder of [baseGitDir, workspace, home, temporary, aside]) await removeTree(folder);
  await rmdir(dirname(workspace)).catch(() => {});
}

/** The same for every run that a runner may have left behind. */
export async function clearAllRunFolders(root: string): Promise<void> {
  for (const name of await readdir(root)) await clearRunFolder(runPlaces(join(root, name)));
}
