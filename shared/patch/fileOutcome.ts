import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { noBytes } from "./bytes.ts";
import type { ReviewedFile } from "./check.ts";
import { contentBytes } from "./checkFile.ts";
import { editText } from "./editText.ts";
import { existenceFaults, type Vacated } from "./existence.ts";
import { fileFault } from "./faults.ts";
import { sha256Hex } from "./hashes.ts";
import { lineCount } from "./lines.ts";
import type { FileKnowledge } from "./placement.ts";
import type { PatchPolicy } from "./policy.ts";
import type { ShapeFault } from "./shape.ts";
import { entryStaleness, knowledgeOf } from "./staleness.ts";
import type { PatchShift } from "./textEdit.ts";
import type { TreeFile } from "./treeFile.ts";
import type { TreeReader } from "./treeReader.ts";

export type FileOutcome =
  | { kind: "outcome"; after: TreeFile | null; shifts: PatchShift[]; removedLines: number }
  | { kind: "refused"; faults: PatchFault[] };

export type OutcomeContext = {
  set: Pick<PatchSet, "mode" | "coordinates">;
  tree: TreeReader;
  policy: PatchPolicy;
  vacated: Vacated;
  incompleteFiles: ReadonlySet<string>;
};

/** What one file of the set becomes. Nothing is written, and no other file's outcome is looked at. */
export async function fileOutcome(
  reviewed: ReviewedFile,
  context: OutcomeContext,
): Promise<FileOutcome> {
  const { path, file } = reviewed;
  const inTheWay = await existenceFaults(path, file, context.tree, context.vacated);
  if (inTheWay.length > 0) return refused(path, inTheWay);

  const source = file.op === "create" ? undefined : await context.tree(file.from ?? path);
  const before: TreeFile = source ?? { bytes: noBytes, mode: "100644" };
  const knowledge = await knowledgeOf(file, source, context.policy);
  const staleness = entryStaleness(reviewed, context.set, before, knowledge);
  if (staleness !== null) return refused(path, [staleness]);
  if (file.op === "delete")
    return { kind: "outcome", after: null, shifts: [], removedLines: lineCount(before.bytes) };

  const edited = editedBytes(reviewed, before.bytes, knowledge, context);
  if (edited.kind === "refused") return edited;
  const { bytes, shifts, removedLines } = edited;
  const isJudged = knowledge !== "changed" && knowledge !== "unknown" && shifts.length === 0;
  if (isJudged && (await breaksPromise(file.post?.sha256, bytes)))
    return refused(path, [
      { code: "conflict", message: "the outcome is not the one that post names" },
    ]);
  return {
    kind: "outcome",
    after: { bytes, mode: file.mode ?? before.mode },
    shifts,
    removedLines,
  };
}

function editedBytes(
  { path, file, patches, prepared }: ReviewedFile,
  bytes: Uint8Array,
  knowledge: FileKnowledge,
  { set, incompleteFiles }: OutcomeContext,
) {
  const { content, eof = "preserve" } = file;
  const literal = { kind: "edited" as const, shifts: [] };
  if (content !== undefined)
    return { ...literal, bytes: contentBytes(content) ?? noBytes, removedLines: lineCount(bytes) };
  if (patches.length === 0 && eof === "preserve" && !incompleteFiles.has(path))
    return { ...literal, bytes, removedLines: 0 };
  const isComplete = prepared.length === patches.length && !incompleteFiles.has(path);
  const { mode, coordinates } = set;
  const text = { path, bytes, patches: prepared, mode, coordinates, eof };
  return editText({ ...text, knowledge, isComplete });
}

async function breaksPromise(sha256: string | undefined, bytes: Uint8Array): Promise<boolean> {
  return sha256 !== undefined && sha256 !== (await sha256Hex(bytes));
}

function refused(file: string, faults: readonly ShapeFault[]): FileOutcome {
  return {
    kind: "refused",
    faults: faults.map(({ code, message }) => fileFault(file, code, message)),
  };
}
