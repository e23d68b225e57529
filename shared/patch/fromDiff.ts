import type { AIPatch } from "../contracts/aiPatch.ts";
import { encodeBase64 } from "./base64.ts";
import { concatBytes, decodeUtf8, isAscii } from "./bytes.ts";
import { type DiffHunk, malformedDiff, readHunk, textAt } from "./hunkReader.ts";
import { linesOf } from "./lines.ts";

export type { DiffHunk } from "./hunkReader.ts";

export type HunkContext = {
  taskId: string;
  file: string;
  provider: string;
  model?: string;
  /** False when the file before is not UTF-8: then a block beyond ASCII goes as base64 even if it is UTF-8. */
  fileIsUtf8?: boolean;
};

/**
 * Reads the unified diff of one text file. A hunk ends where its own counts say, so a removed line `-- x` is no
 * header; context splits a hunk into runs and is dropped. Throws on what would be lost or guessed at: a second file,
 * a binary one, counts that do not agree.
 */
export function parseUnifiedHunks(diff: Uint8Array): DiffHunk[] {
  const lines = linesOf(diff, true);
  const hunks: DiffHunk[] = [];
  for (let at = skipFileHeader(lines); at < lines.length; ) {
    const { runs, next } = readHunk(lines, at);
    for (const run of runs) hunks.push(run);
    at = next;
  }
  return hunks;
}

/** The index of the first hunk's header, or of the end. */
function skipFileHeader(lines: readonly Uint8Array[]): number {
  let files = 0;
  for (let at = 0; at < lines.length; at++) {
    const text = textAt(lines, at);
    if (text.startsWith("@@")) return at;
    if (text.startsWith("diff --git ")) files++;
    if (files > 1) throw malformedDiff(at, "it is of more than one file");
    if (text.startsWith("GIT binary patch") || text.startsWith("Binary files "))
      throw malformedDiff(at, "it is of a binary file");
  }
  return lines.length;
}

/**
 * Operations in mode `exact` and snapshot coordinates, one a hunk. Lines with a NUL make a block that no engine takes:
 * such a file has to be sent whole, as `replace`.
 */
export function operationsFromHunks(hunks: DiffHunk[], context: HunkContext): AIPatch[] {
  const { taskId, file, provider, model, fileIsUtf8 = true } = context;
  const metadata = model === undefined ? { provider } : { provider, model };
  return hunks.map((hunk) => ({
    task_id: taskId,
    file,
    ...placeOf(hunk),
    ...blockOf(concatBytes(hunk.newLines), fileIsUtf8),
    metadata,
  }));
}

function placeOf({ oldStart, oldLines }: DiffHunk) {
  if (oldLines.length === 0) return { operation: "insert-after" as const, line: oldStart };
  const removed = decodeUtf8(concatBytes(oldLines));
  return {
    operation: "replace-block" as const,
    start: oldStart,
    end: oldStart + oldLines.length - 1,
    ...(removed === null ? {} : { expect: { block: removed } }),
  };
}

function blockOf(
  bytes: Uint8Array,
  fileIsUtf8: boolean,
): Pick<AIPatch, "block" | "block_encoding"> {
  const text = fileIsUtf8 || isAscii(bytes) ? decodeUtf8(bytes) : null;
  return text === null ? { block: encodeBase64(bytes), block_encoding: "base64" } : { block: text };
}
