import { writeGitDiff } from "../../shared/patch/diff/writeGitDiff.ts";
import type { TreeFile } from "../../shared/patch/treeFile.ts";
import type { Tree } from "./roundTrip.ts";

export type SpeedLoad = { before: Tree; diffs: Uint8Array[]; texts: string[]; sources: string[] };

const patches = 1_000;

/** Lines that are replaced, put in and taken out, counted from 0. */
type Size = { lines: number; line: (at: number, file: number) => string; changed: number[] };

export const sizes: Record<string, Size> = {
  "3 KB": {
    lines: 120,
    line: (at, file) => `  line ${at} of file ${file};`,
    changed: [20, 60, 100],
  },
  "21 KB": {
    lines: 600,
    line: (at, file) => `  const value${at} = of(file${file}); // ${at % 7}`,
    changed: [100, 300, 500],
  },
};

/** 1,000 files, each with a diff of three hunks: a line replaced, one put in, one taken out. */
export async function speedLoad({ lines: count, line, changed }: Size): Promise<SpeedLoad> {
  const before = new Map<string, TreeFile>();
  const diffs: Uint8Array[] = [];
  for (let at = 0; at < patches; at++) {
    const lines = Array.from({ length: count }, (_, number) => `${line(number, at)}\n`);
    const file = `src/file${at}.ts`;
    const [old, new_] = [fileOf(lines), fileOf(changedLines(lines, changed, at))];
    before.set(file, old);
    const diff = await writeGitDiff([{ path: file, before: old, after: new_ }]);
    diffs.push(withoutIds(diff));
  }
  const sources = [...before.values()].map(({ bytes }) => Buffer.from(bytes).toString());
  const texts = diffs.map((diff) => Buffer.from(diff).toString());
  return { before, diffs, texts, sources };
}

function changedLines(lines: readonly string[], changed: readonly number[], file: number) {
  const [replaced = 0, inserted = 0, removed = 0] = changed;
  const after = [...lines];
  after[replaced] = `  another line ${file};\n`;
  after[inserted] += "  a new line;\n";
  after[removed] = "";
  return after;
}

/** Without ids of blobs, so that each contender knows a file by its lines alone. */
function withoutIds(diff: Uint8Array): Uint8Array {
  return Buffer.from(
    Buffer.from(diff)
      .toString()
      .replace(/^index .*\n/m, ""),
  );
}

const fileOf = (lines: readonly string[]): TreeFile => ({
  bytes: Buffer.from(lines.join("")),
  mode: "100644",
});
