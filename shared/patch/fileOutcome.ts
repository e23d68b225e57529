import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { noBytes } from "./bytes.ts";
import type { ReviewedFile } from "./check.ts";
import { contentBytes } from "./checkFile.ts";
import { editText, encodingFaults } from "./editText.ts";
import { existenceFaults, type Vacated } from "./existence.ts";
import { fileFault } from "./faults.ts";
import { sha256Hex } from "./hashes.ts";
import type { KnownTree } from "./knownTree.ts";
import { lineCount } from "./lines.ts";
import type { FileKnowledge } from "./placement.ts";
import type { PatchPolicy } from "./policy.ts";
import type { ShapeFault } from "./shape.ts";
import { type Soon, whenThere } from "./soon.ts";
import { entryStaleness, knowledgeOf } from "./staleness.ts";
import type { PatchShift } from "./textEdit.ts";
import { type FileConflict, mergeOutcome } from "./threeWay.ts";
import type { TreeFile } from "./treeFile.ts";
import type { TreeReader } from "./treeReader.ts";

export type FileOutcome =
  | {
      kind: "outcome";
      after: TreeFile | null;
      shifts: PatchShift[];
      removedLines: number;
      /** The file itself, when it is not the base and what the set makes of the base was merged into it. */
      merged: string[];
    }
  | { kind: "refused"; faults: PatchFault[]; conflicts: FileConflict[] };

export type OutcomeContext = {
  set: Pick<PatchSet, "mode" | "coordinates">;
  tree: KnownTree;
  /** The files that the set was made for, where the caller can read them. */
  baseTree: TreeReader | null;
  policy: PatchPolicy;
  vacated: Vacated;
  incompleteFiles: ReadonlySet<string>;
};

/** What one file of the set becomes. Nothing is written, and no other file's outcome is looked at. */
export function fileOutcome(reviewed: ReviewedFile, context: OutcomeContext): Soon<FileOutcome> {
  const { path, file } = reviewed;
  const inTheWay = existenceFaults(path, file, context.tree, context.vacated);
  if (inTheWay.length > 0) return refused(path, inTheWay);
  const source = file.op === "create" ? undefined : context.tree.get(file.from ?? path);
  return whenThere(knowledgeOf(file, source, context.policy), (knowledge) =>
    outcomeFrom(source, reviewed, knowledge, context),
  );
}

function outcomeFrom(
  source: TreeFile | undefined,
  reviewed: ReviewedFile,
  knowledge: FileKnowledge,
  context: OutcomeContext,
): Soon<FileOutcome> {
  const before: TreeFile = source ?? { bytes: noBytes, mode: "100644" };
  const outcome = outcomeOver(before, reviewed, knowledge, context);
  if (knowledge === "base" || knowledge === "head" || source === undefined) return outcome;
  return whenThere(outcome, (found) =>
    found.kind === "outcome"
      ? found
      : mergedOutcome(source, reviewed, context).then((merged) => merged ?? found),
  );
}

/** Null when there is no base to merge with. */
async function mergedOutcome(
  actual: TreeFile,
  reviewed: ReviewedFile,
  context: OutcomeContext,
): Promise<FileOutcome | null> {
  const { path, file, prepared } = reviewed;
  const base = await context.baseTree?.(file.from ?? path);
  if (base === undefined || base.mode === "120000") return null;
  const knowledge = await knowledgeOf(file, base, { ...context.policy, baseIsHead: true });
  if (knowledge !== "base" && knowledge !== "head") return null;
  const wanted = await outcomeOver(base, reviewed, knowledge, context);
  if (wanted.kind === "refused") return wanted;
  const mismatches = encodingFaults({ bytes: actual.bytes, patches: prepared });
  if (mismatches.length > 0) return { kind: "refused", faults: [...mismatches], conflicts: [] };
  return mergeOutcome(path, base, actual, wanted);
}

function outcomeOver(
  before: TreeFile,
  reviewed: ReviewedFile,
  knowledge: FileKnowledge,
  context: OutcomeContext,
): Soon<FileOutcome> {
  const { path, file } = reviewed;
  const staleness = entryStaleness(reviewed, context.set, before, knowledge);
  if (staleness !== null) return refused(path, [staleness]);
  if (file.op === "delete") return unmerged(null, [], lineCount(before.bytes));

  const edited = editedBytes(reviewed, before.bytes, knowledge, context);
  if (edited.kind === "refused") return { ...edited, conflicts: [] };
  const { bytes, shifts, removedLines } = edited;
  const outcome = unmerged({ bytes, mode: file.mode ?? before.mode }, shifts, removedLines);
  const isJudged = knowledge !== "changed" && knowledge !== "unknown" && shifts.length === 0;
  const promised = isJudged ? file.post?.sha256 : undefined;
  return promised === undefined ? outcome : keptPromise(promised, bytes, path, outcome);
}

async function keptPromise(
  sha256: string,
  bytes: Uint8Array,
  path: string,
  outcome: FileOutcome,
): Promise<FileOutcome> {
  if (sha256 === (await sha256Hex(bytes))) return outcome;
  const message = "the outcome is not the one that post names";
  return refused(path, [{ code: "conflict", message }]);
}

function unmerged(after: TreeFile | null, shifts: PatchShift[], removedLines: number): FileOutcome {
  return { kind: "outcome", after, shifts, removedLines, merged: [] };
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

function refused(file: string, faults: readonly ShapeFault[]): FileOutcome {
  return {
    kind: "refused",
    faults: faults.map(({ code, message }) => fileFault(file, code, message)),
    conflicts: [],
  };
}
