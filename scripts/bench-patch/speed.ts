import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { applyPatch, parsePatch, type StructuredPatch } from "diff";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { applyPatchSet } from "../../shared/patch/apply.ts";
import { patchSetFromDiff } from "../../shared/patch/diff/patchSetFromDiff.ts";
import { writeTree } from "./gitApply.ts";
import type { SpeedLoad } from "./speedLoad.ts";

export type Timing = { name: string; milliseconds: number[] };

export const names = {
  oursText: "ours, 1,000 diffs from their text",
  oursSets: "ours, 1,000 sets",
  oursSet: "ours, one set of 1,000 files",
  npmText: "npm diff, from the text of the diffs",
  npmParsed: "npm diff, parsed before",
  npmBytes: "npm diff, parsed before, bytes to bytes",
  git: "git apply, one process, writing",
  gitCheck: "git apply --check, one process",
} as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** So many the compiler of the runtime needs before a round is as fast as those after it. */
const warmUpRounds = 5;

/** Every contender takes its turn in each round, so that what else the machine does meets all of them. */
export async function measureApply(work: SpeedLoad, rounds: number): Promise<Timing[]> {
  const place = mkdtempSync(path.join(tmpdir(), "aipatch-speed-"));
  try {
    const inProcess = [...ours(work), ...theirs(work)];
    for (let round = 0; round < warmUpRounds; round++)
      for (const { prepare, run } of inProcess) {
        prepare();
        await run();
      }
    const contenders = [...inProcess, ...gitContenders(work, place)];
    const timings: Timing[] = contenders.map(({ name }) => ({ name, milliseconds: [] }));
    for (let round = 0; round < rounds; round++)
      for (let turn = 0; turn < contenders.length; turn++) {
        // Another one begins each time, since git leaves the machine busy with its files.
        const at = (turn + round) % contenders.length;
        contenders[at]?.prepare();
        const startedAtMs = performance.now();
        await contenders[at]?.run();
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

function ours({ before, diffs }: SpeedLoad): Contender[] {
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
      name: names.oursText,
      prepare: nothing,
      run: async () => {
        sets.length = 0;
        for (const diff of diffs) sets.push(await setOf(diff));
        for (const set of sets) await apply(set);
      },
    },
    {
      name: names.oursSets,
      prepare: nothing,
      run: async () => {
        for (const set of sets) await apply(set);
      },
    },
    {
      name: names.oursSet,
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

function theirs({ before, texts, sources }: SpeedLoad): Contender[] {
  let parsed: StructuredPatch[] = [];
  const files = [...before.values()];
  const applied = (source: string, at: number): string => {
    const patch = parsed[at];
    const after = patch && applyPatch(source, patch, { autoConvertLineEndings: false });
    if (typeof after !== "string") throw new Error("npm diff refuses a diff");
    return after;
  };
  const applyAll = () => {
    for (const [at, source] of sources.entries()) applied(source, at);
  };
  return [
    {
      name: names.npmText,
      prepare: nothing,
      run: () => {
        parsed = texts.flatMap((text) => parsePatch(text));
        applyAll();
      },
    },
    { name: names.npmParsed, prepare: nothing, run: applyAll },
    {
      name: names.npmBytes,
      prepare: nothing,
      run: () => {
        for (const [at, { bytes }] of files.entries())
          encoder.encode(applied(decoder.decode(bytes), at));
      },
    },
  ];
}

function gitContenders({ before, diffs }: SpeedLoad, place: string): Contender[] {
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
    { name: names.git, prepare, run: () => git() },
    { name: names.gitCheck, prepare, run: () => git("--check") },
  ];
}
