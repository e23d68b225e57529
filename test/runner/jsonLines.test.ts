import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineSplitter, parseJsonLine } from "../../apps/agent-runner/agents/jsonLines.ts";

const splitAll = (bytes: Buffer, cuts: readonly number[], maxLineBytes: number) => {
  const splitter = createLineSplitter(maxLineBytes);
  const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  let start = 0;
  const lines = ends.flatMap((end) => {
    const found = splitter.push(bytes.subarray(start, end));
    start = end;
    return found;
  });
  return [...lines, ...splitter.end()];
};

describe("a stream of lines", () => {
  it("gives the same lines however it is cut into chunks", () => {
    const text = fc.array(fc.string({ unit: "grapheme" }), { maxLength: 8 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 30 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join("\n"));

        expect(splitAll(bytes, cuts, 40)).toEqual(splitAll(bytes, [], 40));
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps a character whole that a chunk cuts in two", () => {
    const bytes = Buffer.from("a€b\n");

    expect(splitAll(bytes, [2, 3], 100)).toEqual([{ kind: "line", text: "a€b" }]);
  });

  it("skips a line of 3 MB, tells its size, and goes on", () => {
    const bytes = Buffer.from(`one\n${"x".repeat(3_000_000)}\ntwo\n`);
    const cuts = Array.from({ length: 50 }, (_, index) => index * 65_536);

    expect(splitAll(bytes, cuts, 1024 * 1024)).toEqual([
      { kind: "line", text: "one" },
      { kind: "too_long", bytes: 3_000_000 },
      { kind: "line", text: "two" },
    ]);
  });
});

describe("a line of an agent", () => {
  it.each(["no JSON", "[1]", "null", '"text"', '{"type":', "\u0000"])(
    "that is no JSON object is a warning: %j",
    (text) => {
      const events = parseJsonLine({ kind: "line", text }, () => []);

      expect(events).toMatchObject([{ type: "parse_warning", bytes: Buffer.byteLength(text) }]);
    },
  );

  it("that is empty is nothing", () => {
    expect(parseJsonLine({ kind: "line", text: "  \r" }, () => [])).toEqual([]);
  });
});
