import { SwitchyardError } from "../errors.ts";
import { decodeUtf8, endsWithLineFeed, lineFeed } from "./bytes.ts";

/**
 * One run of removed and added lines, each with its ending. `oldStart` counts from 1 and is the first removed line;
 * when nothing is removed, the added lines come after line `oldStart`. `before` and `after` are the context right
 * above and below the run, as much as the diff shows.
 */
export type DiffHunk = {
  oldStart: number;
  oldLines: Uint8Array[];
  newLines: Uint8Array[];
  before: Uint8Array[];
  after: Uint8Array[];
};

/** Lines of a diff, where the next one is, and what the header of the hunk still announces. */
type HunkCursor = {
  lines: readonly Uint8Array[];
  at: number;
  oldLine: number;
  oldLeft: number;
  newLeft: number;
};

const [space, plus, minus, backslash] = [0x20, 0x2b, 0x2d, 0x5c];
const headerPattern = /^@@ -(\d{1,10})(?:,(\d{1,10}))? \+\d{1,10}(?:,(\d{1,10}))? @@/;

/** Reads the hunk whose header is at `at`: its runs, its lines of context, and the index of the line after it. */
export function readHunk(lines: readonly Uint8Array[], at: number) {
  const cursor = openHunk(lines, at);
  const runs: DiffHunk[] = [];
  let run: DiffHunk | null = null;
  let context: Uint8Array[] = [];
  let keptLines = 0;
  while (cursor.oldLeft > 0 || cursor.newLeft > 0) {
    const lineAbove = cursor.oldLine - 1;
    const { sign, content } = takeLine(cursor);
    if (sign === space) {
      if (run !== null) context = run.after;
      context.push(content);
      keptLines++;
      run = null;
      continue;
    }
    if (run === null) {
      run = { oldStart: lineAbove, oldLines: [], newLines: [], before: context, after: [] };
      context = [];
      runs.push(run);
    }
    addLine(run, sign, content);
  }
  return { runs, keptLines, next: cursor.at };
}

function addLine(run: DiffHunk, sign: number, content: Uint8Array): void {
  if (sign === plus) run.newLines.push(content);
  else if (run.oldLines.push(content) === 1) run.oldStart++;
}

function openHunk(lines: readonly Uint8Array[], at: number): HunkCursor {
  const match = headerPattern.exec(textAt(lines, at));
  if (match === null) throw malformedDiff(at, "the header of a hunk is expected");
  const [, start, oldCount = "1", newCount = "1"] = match;
  const oldLeft = Number(oldCount);
  // With a count of 0 the header names the line before.
  const oldLine = Number(start) + (oldLeft === 0 ? 1 : 0);
  return { lines, at: at + 1, oldLine, oldLeft, newLeft: Number(newCount) };
}

function takeLine(cursor: HunkCursor): { sign: number; content: Uint8Array } {
  const { lines, at } = cursor;
  const line = lines[at];
  if (line === undefined || !endsWithLineFeed(line))
    throw malformedDiff(at, "the hunk is shorter than its header says");
  // Some tools cut the space off an empty context line.
  const sign = line[0] === lineFeed ? space : (line[0] ?? space);
  if (sign !== space && sign !== plus && sign !== minus)
    throw malformedDiff(at, "a line of a hunk begins with a space, + or -");
  if (sign !== plus) {
    cursor.oldLeft--;
    cursor.oldLine++;
  }
  if (sign !== minus) cursor.newLeft--;
  if (cursor.oldLeft < 0 || cursor.newLeft < 0)
    throw malformedDiff(at, "the hunk has other lines than its header says");
  const isOpen = lines[at + 1]?.[0] === backslash;
  cursor.at += isOpen ? 2 : 1;
  return { sign, content: line.subarray(1, line.length - (isOpen ? 1 : 0)) };
}

/** The text of a line, where a diff has text of its own. */
export function textAt(lines: readonly Uint8Array[], at: number): string {
  return decodeUtf8(lines[at] ?? new Uint8Array(0)) ?? "";
}

export function malformedDiff(at: number, because: string): SwitchyardError {
  return new SwitchyardError("internal", `The diff cannot be read at line ${at + 1}: ${because}.`);
}
