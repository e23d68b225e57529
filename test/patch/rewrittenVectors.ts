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

/** Few enough to be compared to the end. */
export const laboriousVector = vectorOf({
  before: scattered(600, 5),
  after: scattered(550, 6),
});

/**
 * Two lines of each run are taken out, far fewer than are looked for, but every diagonal runs a long way: for 270 runs
 * that is 1,932,074 steps of the 2,000,000, for 276 they are 2,015,216, of which the search for anchors is 27,600.
 */
export const nearlySpentVector = runsVector(270);
export const overspentVector = runsVector(276);

/** One line is on both sides once, but to look for it takes more steps than there are. */
export const unanchoredVector = {
  ...vectorOf({ before: aroundOne("a"), after: aroundOne("b") }),
  policy: { base_is_head: true, limits: { changed_lines: 3_000_000 } },
};

function aroundOne(line: string): string {
  return `${`${line}\n`.repeat(500_100)}x\n${`${line}\n`.repeat(500_100)}`;
}

function runsVector(count: number) {
  const runs = (length: number) => `${"a\n".repeat(length)}b\n`.repeat(count);
  return vectorOf({ before: runs(50), after: runs(48) });
}

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
