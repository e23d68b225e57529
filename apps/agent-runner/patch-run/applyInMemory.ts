import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import {
  type ApplyOutcome,
  applyPatchSet,
  isSameFile,
  type PatchPolicy,
} from "../../../shared/patch/apply.ts";
import { encodeText } from "../../../shared/patch/bytes.ts";
import type { ReadFile } from "../../../shared/patch/treeFile.ts";
import { fromBytes } from "../git/bytePath.ts";
import type { GitPlace } from "../git/git.ts";
import { listTree, readBlobs, submoduleMode, type TreeEntry } from "../git/objects.ts";

/**
 * The TypeScript engine over the blobs of a commit: what the set makes of them, with nothing written. `base` is the
 * commit that the set was made for, where that is another one.
 */
export async function applyInMemory(
  place: GitPlace,
  { commit, base }: { commit: string; base: string | null },
  set: PatchSet,
  policy: PatchPolicy,
): Promise<ApplyOutcome> {
  const readBase = base === null ? undefined : await readerOf(place, base, set);
  return applyPatchSet(set, await readerOf(place, commit, set), policy, readBase);
}

/**
 * Whether every file is on a later commit as the set makes it of its own base. An engine does not say so of a set that
 * deletes only: it does not know whether the files were ever there.
 */
export async function isThereAlready(
  { base, commit, set }: { base: GitPlace; commit: string; set: PatchSet },
  later: string,
): Promise<boolean> {
  const policy = { baseIsHead: true, allowProtected: true };
  const made = await applyInMemory(base, { commit, base: null }, set, policy);
  if (made.kind !== "applied") return false;
  const readLater = await readerOf(base, later, set);
  for (const [path, file] of made.files)
    if (!isSameFile((await readLater(path)) ?? null, file)) return false;
  return true;
}

/** The files that the set names are read together; the few others that an engine asks for, one by one. */
async function readerOf(place: GitPlace, commit: string, set: PatchSet): Promise<ReadFile> {
  const tree = await listTree(place, commit);
  const entryOf = (path: string) => tree.get(fromBytes(encodeText(path)));
  const named = Object.entries(set.files).flatMap(([path, { from }]) => [path, from ?? path]);
  const files = named.flatMap((path) => entryOf(path) ?? []).filter(isFile);
  const blobs = await readBlobs(
    place,
    files.map(({ id }) => id),
  );
  return async (path) => {
    const entry = entryOf(path);
    if (entry === undefined || !isFile(entry)) return undefined;
    const bytes = blobs.get(entry.id) ?? (await readBlobs(place, [entry.id])).get(entry.id);
    return bytes === undefined ? undefined : { bytes, mode: modeOf(entry.mode) };
  };
}

const isFile = ({ mode }: TreeEntry): boolean => mode !== submoduleMode;

const modeOf = (mode: string) =>
  mode === "100755" || mode === "120000" ? mode : ("100644" as const);
