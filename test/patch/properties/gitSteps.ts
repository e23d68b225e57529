import fc from "fast-check";
import type { Step } from "../../../scripts/bench-patch/gitApply.ts";
import { takenBack, treeAfter } from "../../../scripts/bench-patch/roundTrip.ts";
import { parseVectors, type Vector } from "../../../scripts/vectors/vectorFile.ts";
import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import { applyPatchInput } from "../../../shared/patch/apply.ts";
import { fileChanges } from "../../../shared/patch/diff/fileChanges.ts";

/** What random sets that apply do, there and back, for git to do the same. */
export async function gitSteps(
  vectors: fc.Arbitrary<object>,
  numRuns: number,
  seed: number,
): Promise<Step[]> {
  const sample = fc.sample(vectors, { seed, numRuns });
  const named = sample.map((vector, at) => ({ name: `case ${at}`, ...vector }));
  const steps: Step[] = [];
  for (const vector of parseVectors(JSON.stringify({ vectors: named }), "random"))
    steps.push(...(await stepOf(vector)));
  return steps;
}

/** Nothing for a set that is refused or changes nothing. */
async function stepOf({ tree: whole, set, policy }: Vector): Promise<Step[]> {
  const readFile = (path: string) => whole.get(path);
  const outcome = await applyPatchInput(set, readFile, policy);
  if (outcome.kind !== "applied" || outcome.files.size === 0) return [];
  const changes = await fileChanges(set as PatchSet, outcome, readFile);
  const back = await takenBack(set as PatchSet, outcome, whole);
  if (typeof back === "string") throw new Error(back);
  const paths = new Set(changes.flatMap(({ path, from }) => [path, from?.path ?? path]));
  const before = new Map([...whole].filter(([path]) => paths.has(path)));
  const after = new Map([...treeAfter(whole, outcome.files)].filter(([path]) => paths.has(path)));
  return [{ before, after, changes, back }];
}
