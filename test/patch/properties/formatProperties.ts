import assert from "node:assert/strict";
import fc from "fast-check";
import { appliedByGit } from "../../../scripts/bench-patch/gitApply.ts";
import { differenceOf, treeAfter } from "../../../scripts/bench-patch/roundTrip.ts";
import { inverseDisagreement } from "../../../scripts/vectors/inverse.ts";
import type { Vector } from "../../../scripts/vectors/vectorFile.ts";
import { applyPatchSet } from "../../../shared/patch/apply.ts";
import { patchSetFromDiff } from "../../../shared/patch/diff/patchSetFromDiff.ts";
import { writeGitDiff } from "../../../shared/patch/diff/writeGitDiff.ts";
import { pathFault } from "../../../shared/patch/paths.ts";
import { movedVector } from "../movedVectors.ts";
import { ofHead } from "../patchSets.ts";
import { randomPath } from "../pathArbitraries.ts";
import { soundCase, soundVector } from "../soundVectors.ts";
import { fileBytes } from "../textArbitraries.ts";
import { kindsOfSets, outcomesOfBoth } from "./engineCases.ts";
import { type FormatProperty, property } from "./formatProperty.ts";
import { gitSteps } from "./gitSteps.ts";
import { setProperties } from "./setProperties.ts";

const naming = { id: "s", taskId: "t", provider: "p", base: {} };

const diffProperties: readonly FormatProperty[] = [
  property(
    "apply(a, diff(a, b)) = b, in bytes",
    48,
    fc.tuple(fileBytes, fileBytes),
    async ([before, after]) => {
      fc.pre(!before.equals(after));
      const trees = [before, after].map((bytes) => new Map([["f", plain(bytes)]]));
      const [old = new Map(), new_ = new Map()] = trees;
      const change = { path: "f", before: plain(before), after: plain(after) };
      const readFile = (path: string) => old.get(path);
      const converted = await patchSetFromDiff(await writeGitDiff([change]), naming, readFile);
      assert.ok(converted.kind === "converted");
      const outcome = await applyPatchSet(converted.set, readFile, ofHead);
      assert.ok(outcome.kind === "applied");
      assert.equal(differenceOf(treeAfter(old, outcome.files), new_), null);
    },
  ),
  byGit("changes of lines", 40, soundCase.map(soundVector)),
  byGit("operations on files", 20, movedVector),
  property("no accepted path leaves the root", 48, randomPath, (path) => {
    fc.pre(pathFault(path) === null);
    const segments = path.split("/");
    assert.ok(!path.startsWith("/"));
    assert.ok(!segments.some((segment) => ["", ".", ".."].includes(segment)), path);
    assert.ok(!segments.some((segment) => /^\.git$/i.test(segment.normalize("NFKC"))), path);
  }),
];

const plain = (bytes: Uint8Array) => ({ bytes, mode: "100644" as const });

function byGit(kind: string, share: number, vectors: fc.Arbitrary<object>): FormatProperty {
  return {
    name: `operations → unified diff → git apply = apply, and back: ${kind}`,
    share,
    async check(runs, seed) {
      const steps = await gitSteps(vectors, runs, seed);
      assert.ok(steps.length > runs / 20, "hardly any set applies");
      assert.equal(await appliedByGit(steps), null);
      return runs;
    },
  };
}

/** Bytes, faults and keys, and that the inverse gives the tree back. */
const engineProperties = kindsOfSets.map(
  ([kind, vectors]): FormatProperty => ({
    name: `TypeScript = Python, bytes and codes: ${kind}`,
    share: 68,
    async check(runs, seed) {
      const { parsed, python, typescript } = await outcomesOfBoth(vectors, runs, seed);
      assert.equal(typescript.length, runs);
      for (const [at, outcome] of typescript.entries()) {
        assert.deepEqual(python[at], outcome);
        assert.equal(await inverseDisagreement(parsed[at] as Vector, outcome), null);
      }
      return runs;
    },
  }),
);

/** All that "Properties to test" of the format promises. The shares are a thousand together. */
export const formatProperties: readonly FormatProperty[] = [
  ...setProperties,
  ...diffProperties,
  ...engineProperties,
];
