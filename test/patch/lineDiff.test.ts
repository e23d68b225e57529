import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffLines } from "../../shared/patch/lineDiff.ts";
import { splitLines } from "./soundVectors.ts";

const text = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "c", "d", "é", "\r"), { maxLength: 14 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join("\n") + (isEnded ? "\n" : ""));

const changesOf = (before: string, after: string) =>
  diffLines(Buffer.from(before), Buffer.from(after));

describe("the difference of two files by lines", () => {
  it("makes of one file the other, to the byte", () => {
    const property = fc.property(text, text, (before, after) => {
      const [old, new_] = [splitLines(before), splitLines(after)];
      const made: string[] = [];
      let next = 0;
      for (const { oldFrom, oldTo, newFrom, newTo } of changesOf(before, after)) {
        made.push(...old.slice(next, oldFrom), ...new_.slice(newFrom, newTo));
        next = oldTo;
      }

      expect([...made, ...old.slice(next)].join("")).toBe(after);
    });

    fc.assert(property, { numRuns: 3_000 });
  });

  it("has a kept line between any two changes, on both sides", () => {
    const property = fc.property(text, text, (before, after) => {
      const changes = changesOf(before, after);

      for (const [at, { oldFrom, newFrom }] of changes.entries()) {
        const above = changes[at - 1] ?? { oldTo: -1, newTo: -1 };
        expect(oldFrom).toBeGreaterThan(above.oldTo);
        expect(newFrom).toBeGreaterThan(above.newTo);
      }
    });

    fc.assert(property, { numRuns: 1_000 });
  });

  it("takes out and puts in no more than it must where lines repeat", () => {
    expect(changesOf("a\nb\na\nb\n", "b\na\nb\na\n")).toEqual([
      { oldFrom: 0, oldTo: 1, newFrom: 0, newTo: 0 },
      { oldFrom: 4, oldTo: 4, newFrom: 3, newTo: 4 },
    ]);
  });

  it("is one replacement where no line is common", () => {
    const lines = (name: string) => Array.from({ length: 5_000 }, (_, at) => `${name}${at}\n`);

    expect(changesOf(lines("a").join(""), lines("b").join(""))).toEqual([
      { oldFrom: 0, oldTo: 5_000, newFrom: 0, newTo: 5_000 },
    ]);
  });

  it("follows a block that moved", () => {
    expect(changesOf("1\n2\n3\n4\n5\n", "3\n4\n5\n1\n2\n")).toEqual([
      { oldFrom: 0, oldTo: 2, newFrom: 0, newTo: 0 },
      { oldFrom: 5, oldTo: 5, newFrom: 3, newTo: 5 },
    ]);
  });
});
