import { linesOfText, type SoundCase, splitLines } from "./soundVectors.ts";

/** What a snapshot set makes of a file, told line by line from the words of the format and not from the engine. */
export type ExpectedLine = { text: string; isUntouched: boolean };

export function expectedLines({ base, patches, mode }: SoundCase): ExpectedLine[] {
  const lines = mode === "lines" ? linesOfText(base) : splitLines(base);
  const expected: ExpectedLine[] = [];
  for (let gap = 0; gap <= lines.length; ) {
    const here = patches.filter((patch) => gapOf(patch, lines.length) === gap);
    const replacing = here.find(isReplace);
    expected.push(...here.filter((patch) => !isReplace(patch)).flatMap(inserted));
    if (replacing !== undefined) expected.push(...inserted(replacing));
    else expected.push(...lines.slice(gap, gap + 1).map((text) => ({ text, isUntouched: true })));
    gap = replacing === undefined ? gap + 1 : Number(replacing.end);
  }
  return expected;
}

/** The gap at which a patch begins: after that many lines. */
export function gapOf(patch: Record<string, unknown>, count: number): number {
  if (patch.operation === "append") return count;
  if (patch.operation === "replace-block") return Number(patch.start) - 1;
  return Number(patch.line) - (patch.operation === "insert-before" ? 1 : 0);
}

function isReplace({ operation }: Record<string, unknown>): boolean {
  return operation === "replace-block";
}

function inserted({ block }: Record<string, unknown>): ExpectedLine[] {
  return linesOfText(String(block)).map((text) => ({ text, isUntouched: false }));
}
