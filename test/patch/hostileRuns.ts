import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { applyPatchInput, type TreeFile } from "../../shared/patch/apply.ts";
import { patchSetFromDiff } from "../../shared/patch/diff/patchSetFromDiff.ts";
import { pathFault } from "../../shared/patch/paths.ts";
import { patchManagerPath, putTree } from "./diskTree.ts";
import { hostileDiffs, hostilePaths, hostileSets, hostileTree } from "./hostileSets.ts";
import { ofHead } from "./patchSets.ts";

/**
 * What came of one hostile set or diff: the code of its first fault, from the reader of diffs or from the engines.
 * `fault` says what is wrong with that: it passed, something on disk changed, or the engines differ.
 */
export type HostileRun = {
  name: string;
  refusedBy: "reader" | "engines";
  code: string;
  fault: string | null;
};

type Outcome = { kind: string; codes: string[]; is_untouched: boolean };
type Named = { name: string; set: PatchSet };

/** The tree as the TypeScript engine reads it: symlinks are files of a kind, and nothing lies below them. */
const inMemory = new Map<string, TreeFile>(
  Object.entries(hostileTree).map(([name, content]) =>
    typeof content === "string"
      ? [name, { bytes: Buffer.from(content), mode: "100644" as const }]
      : [name, { bytes: Buffer.from(content.link), mode: "120000" as const }],
  ),
);
const readFile = (name: string) => inMemory.get(name);

export async function codesInMemory(set: unknown): Promise<string[] | null> {
  const outcome = await applyPatchInput(set, readFile, ofHead);
  return outcome.kind === "refused" ? outcome.faults.map(({ code }) => code) : null;
}

/** Every set through both engines; on disk the whole area is hashed before and after each. */
export async function playHostileSets(): Promise<HostileRun[]> {
  return judged(hostileSets());
}

/** Every diff through the reader, and what it makes a set of through both engines. */
export async function playHostileDiffs(): Promise<HostileRun[]> {
  const refused: HostileRun[] = [];
  const sets: Named[] = [];
  for (const { name, diff } of hostileDiffs()) {
    const naming = { id: "s", taskId: "t", provider: "p", base: {} };
    const outcome = await patchSetFromDiff(diff, naming, readFile);
    if (outcome.kind === "refused") {
      const [first] = outcome.faults;
      const fault = first === undefined ? "refused without a fault" : null;
      refused.push({ name, refusedBy: "reader", code: first?.code ?? "", fault });
    } else if (!namesHarmless(outcome.set)) sets.push({ name, set: outcome.set });
  }
  return [...refused, ...(await judged(sets))];
}

async function judged(sets: readonly Named[]): Promise<HostileRun[]> {
  const onDisk = outcomesOnDisk(sets.map(({ set }) => set));
  const runs: HostileRun[] = [];
  for (const [at, { name, set }] of sets.entries()) {
    const disk = onDisk[at];
    const codes = await codesInMemory(set);
    const fault = disk === undefined ? "was not played" : faultOf(name, disk, codes);
    runs.push({ name, refusedBy: "engines", code: disk?.codes[0] ?? "", fault });
  }
  return runs;
}

function faultOf(name: string, disk: Outcome, codes: readonly string[] | null): string | null {
  if (!disk.is_untouched) return "something on disk changed";
  if (disk.kind !== "refused") return `is ${disk.kind}`;
  // That a directory is in the way only the disk knows.
  if (name.endsWith(' "d"')) return null;
  if (codes === null) return "passes in the TypeScript engine";
  const isSame = codes.join() === disk.codes.join();
  return isSame ? null : `${disk.codes.join()} in Python, ${codes.join()} in TypeScript`;
}

function outcomesOnDisk(sets: readonly unknown[]): Outcome[] {
  const area = mkdtempSync(path.join(tmpdir(), "aipatch-hostile-"));
  try {
    putTree(path.join(area, "tree"), hostileTree);
    mkdirSync(path.join(area, "outside"));
    writeFileSync(path.join(area, "outside/secret"), "a\nb\n");
    const script = fileURLToPath(new URL("./hostileSets.py", import.meta.url));
    const run = spawnSync("python3", [script, patchManagerPath, area], {
      input: JSON.stringify(sets),
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (run.stderr !== "") throw new Error(run.stderr);
    return JSON.parse(run.stdout) as Outcome[];
  } finally {
    rmSync(area, { recursive: true, force: true });
  }
}

/** A name can read as another one, as git reads it: `f` where it is cut at a tab, `etc/x` where slashes are joined. */
function namesHarmless({ files }: PatchSet): boolean {
  const names = Object.entries(files).flatMap(([name, { from }]) => [name, from ?? name]);
  return names.every((name) => !hostilePaths.includes(name) && pathFault(name) === null);
}
