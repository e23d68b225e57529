import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runPython, runTypeScript } from "../../scripts/vectors/engines.ts";
import { parseVectors } from "../../scripts/vectors/vectorFile.ts";
import { soundCase, soundVector } from "./soundVectors.ts";
import { wildVector } from "./wildVectors.ts";

/** Other seeds and more cases for a longer search: AIPATCH_SEED=7 AIPATCH_CASES=50000. */
const seed = Number(process.env.AIPATCH_SEED ?? 20_251_121);
const cases = Number(process.env.AIPATCH_CASES ?? 1_500);

const damagedSet = fc
  .tuple(soundCase.map(soundVector), fc.nat(), fc.jsonValue())
  .map(([vector, at, value]) => ({ ...vector, set: damaged(vector.set, at, value) }));

/** Puts any JSON value in the place of one of the values of a set. */
function damaged(set: unknown, at: number, value: unknown): unknown {
  const text = JSON.stringify(set);
  const places = [...text.matchAll(/(?<=[:[,])(?:"(?:[^"\\]|\\.)*"(?!:)|\d+|\{|\[)/g)];
  const place = places[at % places.length];
  if (place === undefined || /[{[]/.test(place[0])) return value;
  const end = place.index + place[0].length;
  return JSON.parse(text.slice(0, place.index) + JSON.stringify(value) + text.slice(end));
}

async function outcomesOfBoth(vectors: fc.Arbitrary<object>) {
  const sample = fc.sample(vectors, { seed, numRuns: cases });
  const named = sample.map((vector, at) => ({ name: `case ${at} of seed ${seed}`, ...vector }));
  const text = JSON.stringify({ vectors: named });
  const python = runPython({ text });
  const typescript = await Promise.all(parseVectors(text, "random").map(runTypeScript));
  return { python, typescript };
}

describe("the two engines", () => {
  it.each([
    ["sets that fit their file", soundCase.map(soundVector)],
    ["sets that are wrong in many ways", wildVector],
    ["sets with any value in a wrong place", damagedSet],
  ])("give the same bytes, faults and keys on %s", async (_, vectors) => {
    const { python, typescript } = await outcomesOfBoth(vectors);

    expect(typescript).toHaveLength(cases);
    for (const [at, outcome] of typescript.entries()) expect(python[at]).toEqual(outcome);
  });

  it("both apply a fair part of the sets that fit, and move some", async () => {
    const { typescript } = await outcomesOfBoth(soundCase.map(soundVector));

    const applied = typescript.filter((outcome) => outcome.kind === "applied");
    const moved = applied.filter(
      (outcome) => outcome.kind === "applied" && outcome.shifts.length > 0,
    );
    expect(applied.length / cases).toBeGreaterThan(0.2);
    expect(moved.length / cases).toBeGreaterThan(0.005);
  });
});
