import type { AIPatch } from "../contracts/aiPatch.ts";
import { encodeBase64 } from "./base64.ts";
import { concatBytes, decodeLines, isAscii } from "./bytes.ts";
import { type DiffHunk, malformedDiff, readHunk, textAt } from "./hunkReader.ts";
import { linesOf } from "./lines.ts";

export type { DiffHunk } from "./hunkReader.ts";

export type FromDiffContext = {
  taskId: string;
  file: string;
  provider: string;
  model?: string;
  /** False when the file before is not UTF-8: then a block beyond ASCII goes as base64 even if it is UTF-8. */
  fileIsUtf8?: boolean;
};

/**
 * Reads the unified diff of one text file. A hunk ends where its own counts say, so a removed line `-- x` is no
 * header; context splits a hunk into runs and guards them. Throws on what would be lost or guessed at: a second file,
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
 * Operations in mode `exact` and snapshot coordinates, one a run. Lines with a NUL make a block that no engine takes:
 * such a file has to be sent whole, as `replace`.
 */
export function operationsFromHunks(hunks: DiffHunk[], context: FromDiffContext): AIPatch[] {
  const { taskId, file, provider, model, fileIsUtf8 = true } = context;
  const metadata = model === undefined ? { provider } : { provider, model };
  return hunks.map((hunk) => ({
    task_id: taskId,
    file,
    ...placeOf(hunk),
    ...expectationOf(hunk),
    ...blockOf(hunk.newLines, fileIsUtf8),
    metadata,
  }));
}

function placeOf({ oldStart, oldLines }: DiffHunk) {
  if (oldLines.length === 0) return { operation: "insert-after" as const, line: oldStart };
  const end = oldStart + oldLines.length - 1;
  return { operation: "replace-block" as const, start: oldStart, end };
}

/** What is removed, and the context around it, as far as a text can say it. */
function expectationOf({ oldLines, before, after }: DiffHunk): Pick<AIPatch, "expect"> {
  const expect: NonNullable<AIPatch["expect"]> = {};
  const [block, above, below] = [decodeLines(oldLines), decodeLines(before), decodeLines(after)];
  if (block) expect.block = block;
  if (above) expect.before = above;
  if (below) expect.after = below;
  return block || above || below ? { expect } : {};
}

function blockOf(
  lines: readonly Uint8Array[],
  fileIsUtf8: boolean,
): Pick<AIPatch, "block" | "block_encoding"> {
  const text = fileIsUtf8 || lines.every(isAscii) ? decodeLines(lines) : null;
  if (text !== null) return { block: text };
  return { block: encodeBase64(concatBytes(lines)), block_encoding: "base64" };
}
