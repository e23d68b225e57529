import type { AIPatch, PatchFaultCode, PatchFile } from "../../contracts/aiPatch.ts";
import { concatBytes, decodeUtf8, equalBytes, isAscii, isBinary, noBytes } from "../bytes.ts";
import { type FromDiffContext, operationsFromHunks } from "../fromDiff.ts";
import { gitBlobId, sha256Hex } from "../hashes.ts";
import type { DiffHunk } from "../hunkReader.ts";
import { linesBetween } from "../lines.ts";
import { lineTable } from "../lineTable.ts";
import { limitsOf } from "../policy.ts";
import type { ReadFile, TreeFile } from "../treeFile.ts";
import { contentOf } from "../wholeFile.ts";
import { applyDelta } from "./binaryDelta.ts";
import { type BinaryChange, inflate } from "./binaryPatch.ts";
import type { FileDiff } from "./fileDiff.ts";

/** Entries of a set by path: one, or two where a renamed file changes more than lines can say. */
export type ConvertedFile = { entries: [string, PatchFile][]; patches: AIPatch[] };
export type DiffFault = { code: PatchFaultCode; message: string };

type Naming = Pick<FromDiffContext, "taskId" | "provider" | "model">;

/** What a diff says of one file as an entry of a set and its patches, or why it cannot be said. */
export async function convertFile(
  diff: FileDiff,
  naming: Naming,
  readFile: ReadFile,
): Promise<ConvertedFile | DiffFault> {
  const modes = [diff.oldMode, diff.newMode].filter((mode) => mode !== null);
  if (!modes.every((mode) => /^100[0-7]{3}$/.test(mode)))
    return { code: "path_not_allowed", message: "symbolic links and submodules are not patched" };
  const before = diff.oldPath === null ? undefined : await readFile(diff.oldPath);
  if (diff.op === "delete") return deletion(diff, before);
  if (diff.binary !== null) return binaryChange(diff, diff.binary.data, before);
  if (diff.op === "create") return wholeFile(diff, addedText(diff.hunks), undefined);
  const isMadeUp = diff.op === "modify" && before === undefined && isWholeText(diff);
  if (isMadeUp) return wholeFile({ ...diff, op: "create" }, addedText(diff.hunks), undefined);
  return lineChange(diff, naming, before);
}

/** A plain diff of a file that is not there need not say so. */
const isWholeText = ({ hunks }: FileDiff): boolean =>
  hunks.length === 1 && hunks[0]?.oldStart === 0 && hunks[0].oldLines.length === 0;

const addedText = (hunks: readonly DiffHunk[]): Uint8Array =>
  concatBytes(hunks.flatMap(({ newLines }) => newLines));

async function deletion(
  { oldPath, oldBlob, hunks, binary }: FileDiff,
  before: TreeFile | undefined,
): Promise<ConvertedFile> {
  const named = wholeId(oldBlob);
  const removed = concatBytes(hunks.flatMap(({ oldLines }) => oldLines));
  const bytes = binary === null ? removed : (before?.bytes ?? noBytes);
  const pre = named === null ? { sha256: await sha256Hex(bytes) } : { blob: named };
  return { entries: [[oldPath ?? "", { op: "delete", pre }]], patches: [] };
}

async function binaryChange(
  diff: FileDiff,
  data: BinaryChange | null,
  before: TreeFile | undefined,
): Promise<ConvertedFile | DiffFault> {
  if (data === null) return { code: "binary_file", message: "the diff does not hold its bytes" };
  const limit = limitsOf({}).patchBytes;
  if (data.size > limit) return { code: "too_large", message: `${data.size} bytes of binary data` };
  const inflated = await inflate(data, limit);
  const bytes =
    inflated !== null && data.kind === "delta"
      ? applyDelta(before?.bytes ?? noBytes, inflated, limit)
      : inflated;
  if (bytes === null) return deltaFault(data);
  const named = wholeId(diff.newBlob);
  if (named !== null && named !== (await gitBlobId(bytes)))
    return {
      code: "conflict",
      message: "its binary data does not make the file that the diff names",
    };
  return wholeFile(diff, bytes, before);
}

function deltaFault({ kind }: BinaryChange): DiffFault {
  return kind === "delta"
    ? { code: "stale", message: "its binary delta is of another file, or damaged" }
    : { code: "ill_formed_text", message: "its binary data is damaged" };
}

/** A file by its content; one that is renamed or copied too is made anew, since its entry takes no content. */
async function wholeFile(
  diff: FileDiff,
  bytes: Uint8Array,
  before: TreeFile | undefined,
): Promise<ConvertedFile> {
  const newPath = diff.newPath ?? "";
  const content = contentOf(bytes);
  if (diff.op === "modify")
    return {
      entries: [[newPath, { op: "replace", ...preOf(diff), ...modeOf(diff), content }]],
      patches: [],
    };
  const mode = fileMode(diff.newMode) ?? before?.mode;
  const made: PatchFile = { op: "create", ...(mode === undefined ? {} : { mode }), content };
  if (diff.op !== "rename") return { entries: [[newPath, made]], patches: [] };
  const { entries } = await deletion({ ...diff, hunks: [], binary: { data: null } }, before);
  return { entries: [...entries, [newPath, made]], patches: [] };
}

async function lineChange(
  diff: FileDiff,
  naming: Naming,
  before: TreeFile | undefined,
): Promise<ConvertedFile | DiffFault> {
  const { hunks } = diff;
  if (needsWholeFile(hunks, before)) {
    const bytes = before === undefined ? null : patchedBytes(before.bytes, hunks);
    if (bytes !== null) return wholeFile(diff, bytes, before);
    return { code: "stale", message: "the file is not the one that the diff is of" };
  }
  const file = diff.newPath ?? "";
  // What the file is decides nothing where nothing but ASCII is added.
  const isPlain = hunks.every(({ newLines }) => newLines.every(isAscii));
  const fileIsUtf8 = isPlain || before === undefined || decodeUtf8(before.bytes) !== null;
  return {
    entries: [[file, { ...sourceOf(diff), ...preOf(diff), ...modeOf(diff) }]],
    patches: operationsFromHunks(hunks, { ...naming, file, fileIsUtf8 }),
  };
}

/** No block holds a NUL, and a binary file has no lines; git may show the lines of one all the same. */
function needsWholeFile(hunks: readonly DiffHunk[], before: TreeFile | undefined): boolean {
  if (hunks.length === 0) return false;
  const holdsNul = hunks.some(({ newLines }) => newLines.some((line) => line.includes(0)));
  return holdsNul || (before !== undefined && isBinary(before.bytes));
}

function sourceOf({ op, oldPath }: FileDiff): Pick<PatchFile, "op" | "from"> {
  if ((op !== "rename" && op !== "copy") || oldPath === null) return { op: "edit" };
  return { op, from: oldPath };
}

/** Null when the lines to remove do not stand where the diff says. */
function patchedBytes(bytes: Uint8Array, hunks: readonly DiffHunk[]): Uint8Array | null {
  const table = lineTable(bytes);
  const parts: Uint8Array[] = [];
  let next = 0;
  for (const { oldStart, oldLines, newLines } of hunks) {
    const from = oldLines.length === 0 ? oldStart : oldStart - 1;
    const to = from + oldLines.length;
    const stands = from >= next && equalBytes(linesBetween(table, from, to), concatBytes(oldLines));
    if (!stands || to > table.count) return null;
    parts.push(linesBetween(table, next, from), ...newLines);
    next = to;
  }
  return concatBytes([...parts, linesBetween(table, next, table.count)]);
}

/** The id that the diff names, if it is written out. A file of no bytes has one too. */
function wholeId(blob: string | null): string | null {
  return blob !== null && /^(?!0+$)[0-9a-f]{40}$/.test(blob) ? blob : null;
}

function preOf({ oldBlob }: FileDiff): Pick<PatchFile, "pre"> {
  const blob = wholeId(oldBlob);
  return blob === null ? {} : { pre: { blob } };
}

function modeOf({ oldMode, newMode }: FileDiff): Pick<PatchFile, "mode"> {
  const mode = fileMode(newMode);
  return mode === undefined || fileMode(oldMode) === mode ? {} : { mode };
}

/** Git keeps of a mode only whether its owner may execute the file. */
function fileMode(mode: string | null): "100644" | "100755" | undefined {
  if (mode === null) return undefined;
  return Number.parseInt(mode, 8) & 0o100 ? "100755" : "100644";
}
