import fc from "fast-check";
import { setOf } from "./patchSets.ts";

/** Files that are replaced as a whole, so that the inverse set has to be found by comparing them. */
const lineFrom = (kinds: number) => fc.nat({ max: kinds - 1 }).map((kind) => `line ${kind}`);

const text = (kinds: number, maxLength: number) =>
  fc
    .tuple(fc.array(lineFrom(kinds), { maxLength }), fc.boolean())
    .map(([lines, isEnded]) => lines.join("\n") + (isEnded ? "\n" : ""));

/** Of few kinds of lines no line is alone, of many kinds most are; a moved part is in both files. */
const pair = fc
  .record({ kinds: fc.constantFrom(2, 5, 30, 300), size: fc.constantFrom(6, 40, 120) })
  .chain(({ kinds, size }) =>
    fc.record({
      before: text(kinds, size),
      after: text(kinds, size),
      kept: text(kinds, size),
      isMoved: fc.boolean(),
    }),
  )
  .map(({ before, after, kept, isMoved }) => ({
    before: `${before}\n${kept}`,
    after: isMoved ? `${kept}\n${after}` : `${after}\n${kept}`,
  }));

export const rewrittenVector = pair.map(vectorOf);

/** Lines of few kinds in no order, so many that both engines give up looking for the shortest edit. */
export const tediousVectors = [
  vectorOf({ before: scattered(3_000, 1), after: scattered(3_000, 2) }),
  vectorOf({ before: scattered(40_000, 3), after: scattered(50_000, 4) }),
];

/** Few enough to be compared to the end, in nearly as many steps as there may be. */
export const laboriousVector = vectorOf({
  before: scattered(600, 5),
  after: scattered(550, 6),
});

function scattered(count: number, seed: number): string {
  let state = seed;
  const lines = Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return `${(state >> 16) % 9}\n`;
  });
  return lines.join("");
}

function vectorOf({ before, after }: { before: string; after: string }) {
  return {
    files: { f: { text: before } },
    policy: { base_is_head: true },
    set: setOf([], { files: { f: { op: "replace", content: { text: after } } } }),
    after: { f: { text: after } },
  };
}
