import { mkdir, readdir, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { removeTree } from "../state/removeTree.ts";

/** Where things of one run are while it is live. */
export type RunPlaces = {
  /** The runner's own repository. It is never there while the agent runs. */
  baseGitDir: string;
  workspace: string;
  home: string;
  temporary: string;
  /** The run below whose folder the agent's part lies: this one, or the one whose session is resumed. */
  placedAs: string;
  /** For what has to be moved out of the workspace. */
  aside: string;
  /** Moves the agent's part to where that of another run was. */
  placeAs(executionId: string): void;
};

/** `work` is where the agent's part lies when the run's own folder is closed to the agent. */
export function runPlaces(folder: string, work: string | null): RunPlaces {
  const root = work ?? dirname(folder);
  const places: RunPlaces = {
    baseGitDir: join(folder, "base.git"),
    ...openPlaces(root, basename(folder)),
    aside: join(folder, "aside"),
    placeAs: (executionId) => void Object.assign(places, openPlaces(root, executionId)),
  };
  return places;
}

/** The agent's part. */
const openPlaces = (root: string, executionId: string) => ({
  workspace: join(root, executionId, "workspace"),
  home: join(root, executionId, "home"),
  temporary: join(root, executionId, "tmp"),
  placedAs: executionId,
});

/** Another user may pass through to what is its own, and changes nothing on the way. */
export async function openRunPlaces({ workspace, home, temporary }: RunPlaces): Promise<void> {
  await mkdir(dirname(workspace), { recursive: true, mode: 0o711 });
  for (const folder of [home, temporary]) await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** Leaves only what is asked for later: the record, the events and the report. */
export async function clearRunFolder(places: RunPlaces): Promise<void> {
  const { baseGitDir, workspace, home, temporary, aside } = places;
  for (const folder of [baseGitDir, workspace, home, temporary, aside]) await removeTree(folder);
  await rmdir(dirname(workspace)).catch(() => {});
}

/** The same for every run that a runner may have left behind. */
export async function clearAllRunFolders(root: string, work: string | null): Promise<void> {
  for (const name of await readdir(root)) await clearRunFolder(runPlaces(join(root, name), work));
}
