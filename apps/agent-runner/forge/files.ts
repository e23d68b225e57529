import { type ForgeFile, maxFilesBytes } from "../../../shared/contracts/forgeFiles.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { encodeText } from "../../../shared/patch/bytes.ts";
import type { FileMode } from "../../../shared/patch/treeFile.ts";
import { type BytePath, fromBytes } from "../git/bytePath.ts";
import type { GitPlace } from "../git/git.ts";
import { type LocalRepository, readCommit } from "../git/localSource.ts";
import {
  blobSizes,
  listTree,
  readBlobs,
  submoduleMode,
  symlinkMode,
  type TreeEntry,
} from "../git/objects.ts";

type Found = { path: string; entry: TreeEntry | undefined; below: number };

/** What stands at paths of a commit. Errors: `source_unreadable`, `files_too_large` before anything is read. */
export async function readFiles(
  repository: LocalRepository,
  { commit, paths }: { commit: string; paths: readonly string[] },
): Promise<ForgeFile[]> {
  const place = repository.git;
  if ((await readCommit(place, commit)) === null)
    throw new SwitchyardError("source_unreadable", `${repository.path} has no commit ${commit}.`);
  const tree = await listTree(place, commit);
  const wanted = new Map([...new Set(paths)].map((path) => [path, fromBytes(encodeText(path))]));
  const below = countsBelow(tree, new Set(wanted.values()));
  const found = [...wanted].map(([path, name]) => ({
    path,
    entry: tree.get(name),
    below: below.get(name) ?? 0,
  }));
  const blobs = await contentsOf(place, found);
  return found.map((one) => answerOf(one, blobs));
}

/** How many entries lie below each of some folders; those that are no folders are not in it. */
function countsBelow(
  tree: ReadonlyMap<BytePath, TreeEntry>,
  folders: ReadonlySet<BytePath>,
): Map<BytePath, number> {
  const counts = new Map<BytePath, number>();
  for (const path of tree.keys())
    for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
  return counts;
}

async function contentsOf(place: GitPlace, found: readonly Found[]): Promise<Map<string, Buffer>> {
  const ids = found.flatMap(({ entry }) =>
    entry === undefined || entry.mode === submoduleMode ? [] : [entry.id],
  );
  if (ids.length === 0) return new Map();
  const sizes = await blobSizes(place, ids);
  const bytes = ids.reduce((sum, id) => sum + (sizes.get(id) ?? 0), 0);
  if (bytes > maxFilesBytes)
    throw new SwitchyardError(
      "files_too_large",
      `The files have ${bytes} bytes together, and ${maxFilesBytes} can be shown; look at them in the repository.`,
    );
  return readBlobs(place, ids);
}

function answerOf({ path, entry, below }: Found, blobs: ReadonlyMap<string, Buffer>): ForgeFile {
  if (entry === undefined)
    return below === 0 ? { kind: "absent", path } : { kind: "directory", path, files: below };
  const bytes = blobs.get(entry.id);
  if (bytes === undefined) return { kind: "submodule", path };
  return { kind: "file", path, mode: modeOf(entry.mode), base64: bytes.toString("base64") };
}

/** Old repositories know `100664`, too. */
const modeOf = (mode: string): FileMode =>
  mode === "100755" || mode === symlinkMode ? mode : "100644";
