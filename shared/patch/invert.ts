import type { PatchFile, PatchSet } from "../contracts/aiPatch.ts";
import type { AppliedOutcome } from "./apply.ts";
import { equalBytes } from "./bytes.ts";
import { byCodeUnit } from "./faults.ts";
import { sha256Hex } from "./hashes.ts";
import { invertibleRenames, type RenamePair } from "./inverseRenames.ts";
import type { ReadFile, TreeFile } from "./treeFile.ts";
import { contentOf, isEditable, operationsBetween } from "./wholeFile.ts";

/** A file before and after the set, null = absent. */
export type FileStates = {
  before: (path: string) => TreeFile | null;
  after: (path: string) => TreeFile | null;
};

type FilePatch = { path: string; file: PatchFile; patches: PatchSet["patches"] };

/** Blocks of an inverse set come from no agent. */
const provider = "patch-manager";

/**
 * The set that takes an applied set back: on the files as they are afterwards it makes the files as they were, to
 * the byte. `readFile` answers with the tree before the set. `commit` is the one that holds the outcome.
 */
export async function invertPatchSet(
  set: PatchSet,
  { files }: AppliedOutcome,
  readFile: ReadFile,
  commit?: string,
): Promise<PatchSet> {
  const renames = Object.entries(set.files).flatMap(([to, { op, from }]) =>
    op === "rename" && from !== undefined ? [{ from, to }] : [],
  );
  const paths = new Set([...files.keys(), ...renames.flatMap(({ from, to }) => [from, to])]);
  const states = await statesOf(paths, files, readFile);
  const kept = invertibleRenames(renames, states);
  const built: FilePatch[] = [];
  for (const { from, to } of kept) built.push(await renamedBack(from, to, states, set.task_id));
  const covered = new Set(kept.flatMap(({ from, to }) => [from, to]));
  for (const path of paths)
    if (!covered.has(path)) built.push(...(await restored(path, states, set.task_id)));
  return assembled(set, built, commit);
}

async function statesOf(
  paths: ReadonlySet<string>,
  files: AppliedOutcome["files"],
  readFile: ReadFile,
): Promise<FileStates> {
  const known = new Map<string, TreeFile | null>();
  for (const path of paths) known.set(path, (await readFile(path)) ?? null);
  const before = (path: string) => known.get(path) ?? null;
  const after = (path: string) => {
    const file = files.get(path);
    return file === undefined ? before(path) : file;
  };
  return { before, after };
}

async function renamedBack(
  from: RenamePair["from"],
  to: RenamePair["to"],
  states: FileStates,
  taskId: string,
): Promise<FilePatch> {
  const [now, then] = [states.after(to), states.before(from)];
  if (now === null || then === null) throw new RangeError("a renamed file is on both sides");
  // The mode is told in any case: where files of the same bytes change places, it alone tells them apart.
  const guard = { ...(await guards(now, then)), mode: then.mode };
  const file = { op: "rename" as const, from: to, ...guard };
  return { path: from, file, patches: linesBack(from, now, then, taskId) };
}

/** Nothing when the path is as it was. */
async function restored(path: string, states: FileStates, taskId: string): Promise<FilePatch[]> {
  const [now, then] = [states.after(path), states.before(path)];
  if (now === null && then === null) return [];
  if (then === null)
    return [{ path, file: { op: "delete", pre: await preOf(now as TreeFile) }, patches: [] }];
  if (now === null) {
    const post = { sha256: await sha256Hex(then.bytes) };
    const content = contentOf(then.bytes);
    return [
      { path, file: { op: "create", pre: "absent", post, mode: then.mode, content }, patches: [] },
    ];
  }
  const isSame = equalBytes(now.bytes, then.bytes);
  if (isSame && now.mode === then.mode) return [];
  const guard = await guards(now, then);
  if (isSame || isEditable(now.bytes, then.bytes))
    return [{ path, file: { op: "edit", ...guard }, patches: linesBack(path, now, then, taskId) }];
  return [{ path, file: { op: "replace", ...guard, content: contentOf(then.bytes) }, patches: [] }];
}

async function guards(now: TreeFile, then: TreeFile): Promise<Omit<PatchFile, "op">> {
  const mode = now.mode === then.mode ? {} : { mode: then.mode };
  return { pre: await preOf(now), post: { sha256: await sha256Hex(then.bytes) }, ...mode };
}

const preOf = async ({ bytes, mode }: TreeFile) => ({ sha256: await sha256Hex(bytes), mode });

function linesBack(file: string, now: TreeFile, then: TreeFile, taskId: string) {
  return operationsBetween(now.bytes, then.bytes, { taskId, file, provider });
}

function assembled(set: PatchSet, built: readonly FilePatch[], commit?: string): PatchSet {
  const inOrder = [...built].sort((a, b) => byCodeUnit(a.path, b.path));
  const { commit: _, ...place } = set.base;
  return {
    schema: "aipatch/1",
    id: `${set.id}:inverse`,
    task_id: set.task_id,
    mode: "exact",
    coordinates: "snapshot",
    base: commit === undefined ? place : { ...place, commit },
    files: Object.fromEntries(inOrder.map(({ path, file }) => [path, file])),
    patches: inOrder.flatMap(({ patches }) => patches),
  };
}
