import { describe, expect, it } from "vitest";
import { runPython, runTypeScript } from "../../scripts/vectors/engines.ts";
import { inverseDisagreement } from "../../scripts/vectors/inverse.ts";
import { parseVectors, type Vector } from "../../scripts/vectors/vectorFile.ts";
import { kindsOfSets, outcomesOfBoth } from "./properties/engineCases.ts";
import {
  laboriousVector,
  nearlySpentVector,
  overspentVector,
  tediousVectors,
  unanchoredVector,
} from "./rewrittenVectors.ts";
import { soundCase, soundVector } from "./soundVectors.ts";

/** Other seeds and more cases for a longer search: AIPATCH_SEED=7 AIPATCH_CASES=50000. */
const seed = Number(process.env.AIPATCH_SEED ?? 20_251_121);
const cases = Number(process.env.AIPATCH_CASES ?? 1_500);

describe("the two engines", () => {
  it.each(kindsOfSets)("give the same bytes, faults and keys on %s", async (_, vectors) => {
    const { parsed, python, typescript } = await outcomesOfBoth(vectors, cases, seed);

    expect(typescript).toHaveLength(cases);
    for (const [at, outcome] of typescript.entries()) {
      expect(python[at]).toEqual(outcome);
      expect(await inverseDisagreement(parsed[at] as Vector, outcome)).toBeNull();
    }
  });

  it("give up looking for a difference at the same place", async () => {
    const given = [...tediousVectors, overspentVector, unanchoredVector];
    const found = [laboriousVector, nearlySpentVector];
    const named = [...given, ...found].map((vector, at) => ({ name: `tedious ${at}`, ...vector }));
    const text = JSON.stringify({ vectors: named });
    const python = runPython({ text });

    const typescript = await Promise.all(parseVectors(text, "tedious").map(runTypeScript));

    for (const [at, outcome] of typescript.entries()) expect(python[at]).toEqual(outcome);
    const counts = typescript.map((one) => one.kind === "applied" && one.inverse.patches.length);
    expect(counts.slice(0, given.length)).toEqual(given.map(() => 1));
    for (const count of counts.slice(given.length)) expect(count).toBeGreaterThan(100);
  });

  it("both apply a fair part of the sets that fit, move some, and merge some", async () => {
    const { typescript } = await outcomesOfBoth(soundCase.map(soundVector), cases, seed);

    const applied = typescript.filter((outcome) => outcome.kind === "applied");
    const moved = applied.filter(
      (outcome) => outcome.kind === "applied" && outcome.shifts.length > 0,
    );
    const merged = applied.filter(
      (outcome) => outcome.kind === "applied" && outcome.merged.length > 0,
    );
    const conflicts = typescript.filter(
      (outcome) => outcome.kind === "refused" && outcome.conflicts !== undefined,
    );
    expect(applied.length / cases).toBeGreaterThan(0.2);
    expect(merged.length / cases).toBeGreaterThan(0.01);
    expect(conflicts.length / cases).toBeGreaterThan(0.01);
    expect(moved.length / cases).toBeGreaterThan(0.005);
  });
});
