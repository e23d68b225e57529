import { describe, expect, it } from "vitest";
import { runPython, runTypeScript } from "../../scripts/vectors/engines.ts";
import { parseVectors } from "../../scripts/vectors/vectorFile.ts";
import { isSameOutcome } from "../../scripts/vectors/verdict.ts";
import { patchOf, setOf } from "./patchSets.ts";

/** Generous, since the machine is shared; a quadratic engine takes minutes. */
const seconds = 20;
const count = 10_000;

const lines = (number: number) => "a\n".repeat(number);
const many = <T>(number: number, make: (at: number) => T) =>
  Array.from({ length: number }, (_, at) => make(at));
const head = { base: { commit: "c" } };

const bombs = [
  {
    name: "patches that all overlap",
    text: lines(count),
    set: setOf(
      many(count, (at) => patchOf("replace-block", `${at}`, { start: 1, end: at + 1 })),
      head,
    ),
  },
  {
    name: "more faults than a call can have arguments",
    text: "",
    set: setOf(
      many(150_000, (at) => patchOf("insert-after", "x", { line: at + 1 })),
      head,
    ),
  },
  {
    name: "inserts that all share one gap",
    text: lines(count),
    set: setOf(
      many(count, (at) => patchOf("insert-after", `${at}`, { line: 5 })),
      head,
    ),
  },
  {
    name: "sequential patches at both ends in turn",
    text: lines(count),
    set: setOf(
      many(count, (at) =>
        at % 2 ? patchOf("append", "x") : patchOf("insert-before", "y", { line: 1 }),
      ),
      { ...head, coordinates: "sequential" },
    ),
  },
  {
    name: "more sequential patches than one file may have",
    text: "",
    set: setOf(
      many(count + 1, () => patchOf("append", "x")),
      { ...head, coordinates: "sequential" },
    ),
    refusedFor: "too_large",
  },
  {
    name: "guards that nearly stand everywhere",
    text: `${lines(count)}b\n`,
    set: setOf(
      many(500, (at) =>
        patchOf("replace-block", `${at}`, {
          start: 1,
          end: 101,
          expect: { block: `${lines(99)}b\na\n` },
        }),
      ),
    ),
  },
  {
    name: "more guards than can be searched for",
    text: lines(count),
    set: setOf(
      many(3_000, (at) =>
        patchOf("replace-block", `${at}`, { start: 1, end: 1, expect: { block: "a" } }),
      ),
    ),
    refusedFor: "too_large",
  },
  {
    name: "one very long line",
    text: `${"x".repeat(5_000_000)}\n`,
    set: setOf([patchOf("append", "é")], head),
  },
  {
    name: "very many deep paths",
    text: "",
    set: setOf([], {
      files: Object.fromEntries(
        many(2_000, (at) => [`${"a/".repeat(120)}${at}`, { op: "create" as const }]),
      ),
    }),
  },
  {
    name: "a path without end",
    text: "",
    set: setOf([], { files: { ["a/".repeat(2_000_000)]: { op: "create" } } }),
  },
];

describe("a set made to take long", () => {
  it.each(bombs)("ends in time in both engines: $name", async ({ name, text, set, refusedFor }) => {
    const vectors = JSON.stringify({ vectors: [{ name, files: { f: { text } }, set, after: {} }] });
    const startedAtMs = performance.now();

    const python = runPython({ text: vectors });
    const typescript = await Promise.all(parseVectors(vectors, name).map(runTypeScript));

    expect(performance.now() - startedAtMs).toBeLessThan(seconds * 1_000);
    expect(typescript.map((outcome, at) => isSameOutcome(outcome, python[at]))).toEqual([true]);
    if (refusedFor !== undefined) expect(typescript[0]).toHaveProperty("faults.0.code", refusedFor);
  });
});
