import { type DiffHunk, malformedDiff, readHunk } from "../hunkReader.ts";
import { linesOf } from "../lines.ts";
import { readBinaryPatch } from "./binaryPatch.ts";
import { type ReadHeader, readGitHeader } from "./diffHeader.ts";
import type { DiffHeader, FileDiff } from "./fileDiff.ts";
import { readPlainHeader } from "./plainHeader.ts";
import { headerText, textOfName } from "./quotedPath.ts";

/**
 * Reads a diff of any number of files as `git apply` does, with git's extended headers or without, text before,
 * between and after the files left out. Throws on what git does not take: counts that do not agree, a new file that
 * has old lines, a header that says nothing, a name that is not UTF-8.
 */
export function parseGitDiff(diff: Uint8Array): FileDiff[] {
  const lines = linesOf(diff, true);
  const files: FileDiff[] = [];
  let strip: number | null = null;
  for (let at = 0; at < lines.length; ) {
    if (startsLine(lines, at, "diff --git ")) {
      const { file, next } = readFile(lines, at, readGitHeader(lines, at));
      files.push(file);
      at = next;
    } else if (isPlainStart(lines, at)) {
      const read = readPlainHeader(lines, at, strip);
      strip = read.strip;
      const { file, next } = readFile(lines, at, read);
      files.push(file);
      at = next;
    } else if (startsLine(lines, at, "@@ -") && isHunkHeader(lines, at))
      throw malformedDiff(at, "a hunk without a header");
    else at++;
  }
  return files;
}

const isPlainStart = (lines: readonly Uint8Array[], at: number): boolean =>
  startsLine(lines, at, "--- ") &&
  startsLine(lines, at + 1, "+++ ") &&
  startsLine(lines, at + 2, "@@ -");

function startsLine(lines: readonly Uint8Array[], at: number, text: string): boolean {
  const line = lines[at];
  if (line === undefined || line.length < text.length) return false;
  for (let index = 0; index < text.length; index++)
    if (line[index] !== text.charCodeAt(index)) return false;
  return true;
}

const isHunkHeader = (lines: readonly Uint8Array[], at: number): boolean =>
  /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/.test(headerText(lines[at] ?? new Uint8Array(0)));

function readFile(lines: readonly Uint8Array[], start: number, { header, next }: ReadHeader) {
  const body = readBody(lines, next);
  const file = fileOf(header, body, start);
  if (file.op === "create" && body.removedLines + body.keptLines > 0)
    throw malformedDiff(start, "a new file has old lines");
  if (file.op === "delete" && body.addedLines + body.keptLines > 0)
    throw malformedDiff(start, "a deleted file keeps lines");
  const isModeChange = file.oldMode !== file.newMode;
  if (body.isEmpty && file.op === "modify" && !isModeChange)
    throw malformedDiff(start, "it changes nothing");
  return { file, next: body.next };
}

type Body = Pick<FileDiff, "hunks" | "addedLines" | "removedLines" | "binary"> & {
  keptLines: number;
  isEmpty: boolean;
  next: number;
};

function readBody(lines: readonly Uint8Array[], at: number): Body {
  const nothing = { hunks: [], addedLines: 0, removedLines: 0, keptLines: 0, isEmpty: false };
  if (startsLine(lines, at, "GIT binary patch")) {
    const { data, next } = readBinaryPatch(lines, at + 1);
    return { ...nothing, binary: { data }, next };
  }
  if (/^(?:Binary f|F)iles .* differ$/.test(headerText(lines[at] ?? new Uint8Array(0))))
    return { ...nothing, binary: { data: null }, next: at + 1 };
  return readHunks(lines, at);
}

function readHunks(lines: readonly Uint8Array[], at: number): Body {
  const hunks: DiffHunk[] = [];
  let [next, keptLines] = [at, 0];
  while (startsLine(lines, next, "@@ -")) {
    const hunk = readHunk(lines, next);
    for (const run of hunk.runs) hunks.push(run);
    keptLines += hunk.keptLines;
    next = hunk.next;
  }
  const addedLines = hunks.reduce((sum, { newLines }) => sum + newLines.length, 0);
  const removedLines = hunks.reduce((sum, { oldLines }) => sum + oldLines.length, 0);
  return { hunks, addedLines, removedLines, keptLines, binary: null, isEmpty: next === at, next };
}

function fileOf(header: DiffHeader, body: Body, start: number): FileDiff {
  const { oldMode, newMode, oldBlob, newBlob } = header;
  const { hunks, addedLines, removedLines, binary } = body;
  const oldPath = header.isNew ? null : pathOf(header.oldName, start);
  const newPath = header.isDeleted ? null : pathOf(header.newName, start);
  if (oldPath === null && newPath === null)
    throw malformedDiff(start, "it is of a file that is on neither side");
  const sides = { oldPath, newPath, oldMode, newMode: newMode ?? (newPath && oldMode) };
  const counts = { hunks, addedLines, removedLines, binary };
  return { op: operationOf(header), ...sides, oldBlob, newBlob, ...counts };
}

function operationOf({ isNew, isDeleted, isRename, isCopy }: DiffHeader): FileDiff["op"] {
  if (isNew) return "create";
  if (isDeleted) return "delete";
  if (isCopy) return "copy";
  return isRename ? "rename" : "modify";
}

function pathOf(name: string | null, start: number): string {
  const path = name === null ? null : textOfName(name);
  if (path === null) throw malformedDiff(start, "it names a file in a way that is no text");
  return path;
}
