import type { ReportedConflict } from "../../../shared/contracts/reportedConflict.ts";
import type { PatchReport } from "../../../shared/contracts/runner.ts";
import type { Redactor } from "../redact.ts";
import type { AppliedSet } from "./applySet.ts";

/** Of all conflicts of a set together, in UTF-16 units. */
const maxMarkedChars = 64 * 1024;
const contextLines = 5;

/** What is told of a set that did not fit. */
export function refusalOf(
  { faults, conflicts = [] }: Extract<AppliedSet, { kind: "refused" }>,
  redactor: Redactor,
): PatchReport {
  const said = redactor.json({ kind: "refused" as const, faults });
  if (conflicts.length === 0) return said;
  let left = maxMarkedChars;
  const reported = conflicts.map(({ file: path, hunks, marked }): ReportedConflict => {
    const file = redactor.text(path);
    if (marked === null || left === 0) return { file, hunks, marked: null };
    const shown = cutTo(left, excerptOf(markedText(marked, redactor), file));
    left -= shown.length;
    return { file, hunks, marked: shown };
  });
  return { ...said, conflicts: reported };
}

/** Masked before it is cut, so that no half of a secret is left. */
const markedText = (marked: Uint8Array, redactor: Redactor): string =>
  redactor.text(new TextDecoder().decode(marked));

const cutTo = (most: number, text: string): string =>
  text.length <= most ? text : text.slice(0, most).toWellFormed();

/** The conflicts of a marked file, each with some lines around it. */
export function excerptOf(marked: string, file: string): string {
  const lines = marked.split("\n");
  const wanted = new Set<number>();
  for (const [from, to] of markedRanges(lines, file))
    for (let at = from - contextLines; at <= to + contextLines; at += 1) wanted.add(at);
  const parts: string[] = [];
  lines.forEach((line, at) => {
    if (!wanted.has(at)) return;
    if (at > 0 && !wanted.has(at - 1)) parts.push("…");
    parts.push(line);
  });
  return parts.join("\n");
}

/** From the line of each opening marker to that of the closing one. */
function markedRanges(lines: readonly string[], file: string): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (lines[at] !== `<<<<<<< ${file}`) continue;
    const end = lines.indexOf(">>>>>>> patch", at);
    if (end === -1) break;
    ranges.push([at, end]);
    at = end;
  }
  return ranges;
}
