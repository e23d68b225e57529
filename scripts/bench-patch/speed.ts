import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { applyPatchInput, applyPatchSet, type TreeFile } from "../../shared/patch/apply.ts";
import { patchSetFromDiff } from "../../shared/patch/diff/patchSetFromDiff.ts";
import { writeGitDiff } from "../../shared/patch/diff/writeGitDiff.ts";
import { diffLines } from "../../shared/patch/lineDiff.ts";
import { writeTree } from "./gitApply.ts";
import type { Tree } from "./roundTrip.ts";

export type Timing = { name: string; milliseconds: number[] };

/** What npm `diff` is asked for. */
type JsDiff = {
  parsePatch(text: string): unknown[];
  applyPatch(source: string, patch: unknown, options: object): string | false;
};

const patches = 1_000;
const linesPerFile = 120;
const changedLines = [20, 60, 100];

type Load = { before: Tree; diffs: Uint8Array[]; texts: string[]; sources: string[] };

/** 1,000 files of 120 lines, each with a diff of three hunks: a line replaced, one put in, one taken out. */
async function load(): Promise<Load> {
  const before = new Map<string, TreeFile>();
  const diffs: Uint8Array[] = [];
  for (let at = 0; at < patches; at++) {
    const lines = Array.from(
      { length: linesPerFile },
      (_, line) => `  line ${line} of file ${at};\n`,
    );
    const [replaced = 0, inserted = 0, removed = 0] = changedLines;
    const changed = [...lines];
    changed[replaced] = `  another line ${at};\n`;
    changed[inserted] += "  a new line;\n";
    changed[removed] = "";
    const file = `src/file${at}.ts`;
    const [old, new_] = [fileOf(lines), fileOf(changed)];
    before.set(file, old);
    const diff = await writeGitDiff([{ path: file, before: old, after: new_ }]);
    // Without ids of blobs, so that each contender knows a file by its lines alone.
    diffs.push(
      Buffer.from(
        Buffer.from(diff)
          .toString()
          .replace(/^index .*\n/m, ""),
      ),
    );
  }
  const sources = [...before.values()].map(({ bytes }) => Buffer.from(bytes).toString());
  return {
    before,
    diffs,
    texts: diffs.map((diff) => Buffer.from(diff).toString()),
    sources,
  };
}

const fileOf = (lines: readonly string[]): TreeFile => ({
  bytes: Buffer.from(lines.join("")),
  mode: "100644",
});

/** Every contender takes its turn in each round, so that what else the machine does meets all of them. */
export async function measureApply(rounds: number, jsDiffFolder: string | null): Promise<Timing[]> {
  const work = await load();
  const jsDiff = jsDiffFrom(jsDiffFolder);
  const place = mkdtempSync(path.join(tmpdir(), "aipatch-speed-"));
  try {
    const contenders = [...ours(work), ...(jsDiff === null ? [] : theirs(jsDiff, work))];
    const gits = gitContenders(work, place);
    const timings: Timing[] = [...contenders, ...gits].map(({ name }) => ({
      name,
      milliseconds: [],
    }));
    for (let round = 0; round < rounds; round++)
      for (const [at, { prepare, run }] of [...contenders, ...gits].entries()) {
        prepare();
        const startedAtMs = performance.now();
        await run();
        timings[at]?.milliseconds.push(performance.now() - startedAtMs);
      }
    return timings;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

type Contender = { name: string; prepare: () => void; run: () => void | Promise<void> };

const naming = { id: "s", taskId: "t", provider: "p", base: {} };
const nothing = () => undefined;

function ours({ before, diffs }: Load): Contender[] {
  const readFile = (file: string) => before.get(file);
  const sets: PatchSet[] = [];
  let whole: PatchSet | null = null;
  const setOf = async (diff: Uint8Array) => {
    const converted = await patchSetFromDiff(diff, naming, readFile);
    if (converted.kind === "refused") throw new Error("a diff is refused");
    return converted.set;
  };
  const apply = async (set: PatchSet) => {
    const outcome = await applyPatchSet(set, readFile, { baseIsHead: true });
    if (outcome.kind !== "applied") throw new Error("a set is refused");
  };
  return [
    {
      name: "ours, from the text of the diff",
      prepare: nothing,
      run: async () => {
        sets.length = 0;
        for (const diff of diffs) sets.push(await setOf(diff));
        for (const set of sets) await apply(set);
      },
    },
    {
      name: "ours, from the set",
      prepare: nothing,
      run: async () => {
        for (const set of sets) await apply(set);
      },
    },
    {
      name: "ours, all in one set",
      prepare: () => {
        whole ??= joined(sets);
      },
      run: async () => {
        if (whole !== null) await apply(whole);
      },
    },
  ];
}

function joined(sets: readonly PatchSet[]): PatchSet | null {
  const [first] = sets;
  if (first === undefined) return null;
  const files = Object.fromEntries(sets.flatMap((set) => Object.entries(set.files)));
  return { ...first, files, patches: sets.flatMap((set) => set.patches) };
}

function theirs({ parsePatch, applyPatch }: JsDiff, { texts, sources }: Load): Contender[] {
  let parsed: unknown[] = [];
  const applyAll = () => {
    for (const [at, source] of sources.entries())
      if (applyPatch(source, parsed[at], { autoConvertLineEndings: false }) === false)
        throw new Error("npm diff refuses a diff");
  };
  return [
    {
      name: "npm diff, from the text of the diff",
      prepare: nothing,
      run: () => {
        parsed = texts.map((text) => parsePatch(text)[0]);
        applyAll();
      },
    },
    { name: "npm diff, from the parsed diff", prepare: nothing, run: applyAll },
  ];
}

function gitContenders({ before, diffs }: Load, place: string): Contender[] {
  const tree = path.join(place, "tree");
  const diff = path.join(place, "diff");
  const git = (...options: string[]) => {
    const run = spawnSync("git", ["apply", ...options, diff], { cwd: tree });
    if (run.status !== 0) throw new Error(`git apply: ${run.stderr}`);
  };
  const prepare = () => {
    rmSync(tree, { recursive: true, force: true });
    writeTree(tree, before);
    writeFileSync(diff, Buffer.concat(diffs));
  };
  return [
    { name: "git apply, one process, writing", prepare, run: () => git() },
    { name: "git apply --check, one process", prepare, run: () => git("--check") },
  ];
}

/** Npm `diff` is no dependency; it is measured where a folder holds it. */
function jsDiffFrom(folder: string | null): JsDiff | null {
  if (folder === null) return null;
  return createRequire(path.join(path.resolve(folder), "x.js"))("diff") as JsDiff;
}

/** Comparing 5,000 lines with 5,000 others, where nothing is alike and where everything is. */
export function measureDiff(rounds: number): Timing[] {
  const lines = (make: (at: number) => string) =>
    Buffer.from(Array.from({ length: 5_000 }, (_, at) => `${make(at)}\n`).join(""));
  const old = lines((at) => `old ${at}`);
  const cases: [string, Uint8Array, Uint8Array][] = [
    ["5,000 wholly different lines", old, lines((at) => `new ${at}`)],
    ["5,000 lines in another order", old, lines((at) => `old ${(at * 2_741) % 5_000}`)],
    [
      "5,000 lines of seven kinds",
      lines((at) => `${(at * at) % 7}`),
      lines((at) => `${(at * 31 + 5) % 7}`),
    ],
  ];
  return cases.map(([name, before, after]) => ({
    name,
    milliseconds: Array.from({ length: rounds }, () => {
      const startedAtMs = performance.now();
      diffLines(before, after);
      return performance.now() - startedAtMs;
    }),
  }));
}

/** Refusing 20 MB where 10 MB are the limit: in one block, and in 20,000. */
export async function measureRefusal(rounds: number): Promise<Timing[]> {
  const line = `${"x".repeat(79)}\n`;
  const patch = (block: string) => ({
    task_id: "t",
    file: "f",
    operation: "append",
    block,
    metadata: { provider: "p" },
  });
  const timings: Timing[] = [];
  for (const [name, blocks] of [
    ["20 MB in one block refused", [line.repeat(262_144)]],
    ["20 MB in 20,000 blocks refused", Array.from({ length: 20_000 }, () => line.repeat(13))],
  ] as const) {
    const set = { schema: "aipatch/1", mode: "lines", patches: blocks.map(patch), files: {} };
    const milliseconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startedAtMs = performance.now();
      const outcome = await applyPatchInput(set, () => undefined, {
        limits: { patchBytes: 10_000_000 },
      });
      milliseconds.push(performance.now() - startedAtMs);
      if (outcome.kind !== "refused") throw new Error("20 MB pass");
    }
    timings.push({ name, milliseconds });
  }
  return timings;
}
