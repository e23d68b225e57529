import { z } from "zod";
import {
  type AIPatch,
  fileModes,
  type PatchFile,
  type PatchSet,
} from "../../../shared/contracts/aiPatch.ts";
import { decodeUtf8, isBinary } from "../../../shared/patch/bytes.ts";
import { operationsFromHunks, parseUnifiedHunks } from "../../../shared/patch/fromDiff.ts";
import { sha256Hex } from "../../../shared/patch/hashes.ts";
import { toText } from "../git/bytePath.ts";
import { type GitPlace, git } from "../git/git.ts";
import { readBlobs, type TreeEntry } from "../git/objects.ts";
import type { TreeChange } from "../git/worktreeChanges.ts";

export type PatchNaming = {
  executionId: string;
  taskId: string;
  provider: string;
  model?: string;
  commit: string;
};

export type BuiltPatchSet = { set: PatchSet; addedLines: number; removedLines: number };

type Content = { entry: TreeEntry; bytes: Buffer };
type FilePatch = { file: PatchFile; patches: AIPatch[]; addedLines: number; removedLines: number };

/** The changes between two trees in mode `exact`: by lines where both sides are text, else by whole files. */
export async function buildPatchSet(
  place: GitPlace,
  changes: readonly TreeChange[],
  treeId: string,
  naming: PatchNaming,
): Promise<BuiltPatchSet> {
  const entries = changes.flatMap(({ before, after }) => [before, after]);
  const ids = entries.flatMap((entry) => (entry === null ? [] : [entry.id]));
  const blobs = await readBlobs(place, ids);
  const content = (entry: TreeEntry | null): Content | null =>
    entry === null ? null : { entry, bytes: blobs.get(entry.id) ?? Buffer.alloc(0) };
  const diffs = await diffsByBlobs(place, naming.commit, treeId);
  const built: BuiltPatchSet = { set: emptySet(naming), addedLines: 0, removedLines: 0 };
  for (const change of changes) {
    const path = toText(change.path) ?? "";
    const diff = diffs.get(`${change.before?.id}..${change.after?.id}`) ?? null;
    const before = content(change.before);
    const patch = await filePatch(path, before, content(change.after), diff, naming);
    built.set.files[path] = patch.file;
    built.set.patches.push(...patch.patches);
    built.addedLines += patch.addedLines;
    built.removedLines += patch.removedLines;
  }
  return built;
}

/** The id of the one set of an execution follows from the execution's. */
export const patchSetIdOf = (executionId: string): string =>
  `ps_${executionId.slice(executionId.indexOf("_") + 1)}`;

function emptySet(naming: PatchNaming): PatchSet {
  return {
    schema: "aipatch/1",
    id: patchSetIdOf(naming.executionId),
    task_id: naming.taskId,
    execution_id: naming.executionId,
    mode: "exact",
    coordinates: "snapshot",
    base: { commit: naming.commit },
    files: {},
    patches: [],
  };
}

/** No line of a hunk can begin like this: each has its sign before it. */
const sectionStart = "\ndiff --git ";

/** One git compares all modified files; its sections are told apart by the two blobs that each one names. */
async function diffsByBlobs(
  place: GitPlace,
  from: string,
  to: string,
): Promise<Map<string, Uint8Array>> {
  const form = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--full-index"];
  const args = ["diff-tree", "-r", "-p", "-U0", "--diff-filter=M", ...form, from, to];
  const [, ...sections] = `\n${(await git(place, args)).toString("latin1")}`.split(sectionStart);
  return new Map(
    sections.flatMap((section) => {
      const blobs = /\nindex ([0-9a-f]{40}\.\.[0-9a-f]{40})/.exec(section)?.[1];
      const whole = `${sectionStart.slice(1)}${section.replace(/\n$/, "")}\n`;
      return blobs === undefined ? [] : [[blobs, Buffer.from(whole, "latin1")] as const];
    }),
  );
}

async function filePatch(
  path: string,
  before: Content | null,
  after: Content | null,
  diff: Uint8Array | null,
  naming: PatchNaming,
): Promise<FilePatch> {
  const pre = before === null ? ("absent" as const) : await preOf(before);
  const removedLines = before === null ? 0 : lineCount(before.bytes);
  if (after === null)
    return { file: { op: "delete", pre }, patches: [], addedLines: 0, removedLines };
  const post = { sha256: await sha256Hex(after.bytes) };
  if (before !== null && isEditable(before, after, diff))
    return edit({ path, pre, post, ...modeChange(before, after) }, diff, naming);
  return {
    file: {
      op: before === null ? "create" : "replace",
      pre,
      post,
      mode: modeOf(after),
      content: contentOf(after.bytes),
    },
    patches: [],
    addedLines: lineCount(after.bytes),
    removedLines,
  };
}

function edit(
  { path, ...file }: Omit<PatchFile, "op"> & { path: string },
  diff: Uint8Array | null,
  { taskId, provider, model }: PatchNaming,
): FilePatch {
  const hunks = diff === null ? [] : parseUnifiedHunks(diff);
  const context = { taskId, file: path, provider, ...(model === undefined ? {} : { model }) };
  return {
    file: { op: "edit", ...file },
    patches: operationsFromHunks(hunks, context),
    addedLines: hunks.reduce((sum, { newLines }) => sum + newLines.length, 0),
    removedLines: hunks.reduce((sum, { oldLines }) => sum + oldLines.length, 0),
  };
}

/** Not when a diff says more than the file itself, nor when a side has no lines that a text could name. */
function isEditable(before: Content, after: Content, diff: Uint8Array | null): boolean {
  if (before.entry.mode.slice(0, 3) !== "100" || after.entry.mode.slice(0, 3) !== "100")
    return false;
  if (before.entry.id === after.entry.id) return true;
  if (diff === null || diff.length > after.bytes.length + 512) return false;
  return [before, after].every(({ bytes }) => isText(bytes));
}

const isText = (bytes: Uint8Array): boolean =>
  !isBinary(bytes) && !bytes.includes(0) && decodeUtf8(bytes) !== null;

const preOf = async (content: Content) => ({
  blob: content.entry.id,
  sha256: await sha256Hex(content.bytes),
  mode: modeOf(content),
});

const modeChange = (before: Content, after: Content): Pick<PatchFile, "mode"> =>
  before.entry.mode === after.entry.mode ? {} : { mode: modeOf(after) };

const modeOf = ({ entry }: Content) => z.enum(fileModes).parse(entry.mode);

function contentOf(bytes: Buffer): NonNullable<PatchFile["content"]> {
  const text = bytes.includes(0) ? null : decodeUtf8(bytes);
  return text === null ? { base64: bytes.toString("base64") } : { text };
}

const lineCount = (bytes: Uint8Array): number => {
  if (isBinary(bytes)) return 0;
  let lines = bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
};
