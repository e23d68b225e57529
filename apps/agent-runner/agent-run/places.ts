import { mkdir, readdir, rmdir } from "node:fs/promises";
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

/** `work` is where the agent's part lies when the run's own folder is closed to the agent. */
export function runPlaces(folder: string, work: string | null): RunPlaces {
  const open = work === null ? folder : join(work, basename(folder));
  const places: RunPlaces = {
    baseGitDir: join(folder, "base.git"),
    workspace: join(open, "workspace"),
    workspaceOf: basename(folder),
    home: join(open, "home"),
    temporary: join(open, "tmp"),
    aside: join(folder, "aside"),
    moveWorkspace: (executionId) => {
      places.workspaceOf = executionId;
      places.workspace = join(dirname(open), executionId, "workspace");
    },
  };
  return places;
}

/** Another user may pass through to what is its own, and changes nothing on the way. */
export async function openRunPlaces({ workspace, home, temporary }: RunPlaces): Promise<void> {
  for (const folder of [dirname(workspace), dirname(home)])
    await mkdir(folder, { recursive: true, mode: 0o711 });
  for (const folder of [home, temporary]) await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** Leaves only what is asked for later: the record, the events and the report. */
export async function clearRunFolder(places: RunPlaces): Promise<void> {
  const { baseGitDir, workspace, home, temporary, aside } = places;
  for (const folder of [baseGitDir, workspace, home, temporary, aside]) await removeTree(folder);
  for (const path of [workspace, home]) await rmdir(dirname(path)).catch(() => {});
}

/** The same for every run that a runner may have left behind. */
export async function clearAllRunFolders(root: string, work: string | null): Promise<void> {
  for (const name of await readdir(root)) await clearRunFolder(runPlaces(join(root, name), work));
}
