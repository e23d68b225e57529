import fc from "fast-check";
import { runPython, runTypeScript } from "../../../scripts/vectors/engines.ts";
import { parseVectors } from "../../../scripts/vectors/vectorFile.ts";
import { movedVector } from "../movedVectors.ts";
import { rewrittenVector } from "../rewrittenVectors.ts";
import { soundCase, soundVector } from "../soundVectors.ts";
import { wildVector } from "../wildVectors.ts";

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

/** What both engines make of the same random sets. */
export async function outcomesOfBoth(vectors: fc.Arbitrary<object>, cases: number, seed: number) {
  const sample = fc.sample(vectors, { seed, numRuns: cases });
  const named = sample.map((vector, at) => ({ name: `case ${at} of seed ${seed}`, ...vector }));
  const text = JSON.stringify({ vectors: named });
  const parsed = parseVectors(text, "random");
  const python = runPython({ text });
  const typescript = await Promise.all(parsed.map(runTypeScript));
  return { parsed, python, typescript };
}

export const kindsOfSets: readonly [string, fc.Arbitrary<object>][] = [
  ["sets that fit their file", soundCase.map(soundVector)],
  ["sets that are wrong in many ways", wildVector],
  ["sets with any value in a wrong place", damagedSet],
  ["files that change places", movedVector],
  ["files that are replaced as a whole", rewrittenVector],
];
