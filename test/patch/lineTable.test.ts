import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBinary } from "../../shared/patch/bytes.ts";
import { lineTable, passingLineTable, startOf } from "../../shared/patch/lineTable.ts";

/** Blocks of 64 bytes and words of 4 begin at any byte of the buffer that holds the file. */
const file = fc
  .record({
    bytes: fc.array(fc.constantFrom(0x0a, 0x0a, 0x0b, 0x0d, 0x61, 0x8a, 0xff), {
      maxLength: 600,
      size: "max",
    }),
    offset: fc.nat({ max: 7 }),
    from: fc.constantFrom(0, 0, 3),
  })
  .map(({ bytes, offset, from }) => {
    const buffer = new Uint8Array(offset + bytes.length).fill(0x0a);
    buffer.set(bytes, offset);
    return { bytes: buffer.subarray(offset), from: Math.min(from, bytes.length) };
  });

function startsOneByOne(bytes: Uint8Array, from: number): number[] {
  const starts = from < bytes.length ? [from] : [];
  for (let at = from; at + 1 < bytes.length; at++) if (bytes[at] === 0x0a) starts.push(at + 1);
  return [...starts, bytes.length, bytes.length];
}

describe("the lines of a file", () => {
  it("start where they start, whether they are noted or counted", () => {
    const property = fc.property(file, ({ bytes, from }) => {
      const expected = startsOneByOne(bytes, from);
      for (const table of [lineTable(bytes, from), passingLineTable(bytes, from)]) {
        expect(table.count).toBe(expected.length - 2);
        expect(expected.map((_, index) => startOf(table, index))).toEqual(expected);
      }
    });

    fc.assert(property, { numRuns: 600 });
  });
});

describe("a NUL", () => {
  it("makes a file binary wherever it stands in the first 8,000 bytes, and nowhere behind", () => {
    for (const at of [0, 1, 2, 3, 4, 63, 64, 4_001, 7_997, 7_998, 7_999, 8_000, 8_001])
      for (const offset of [0, 1, 2, 3]) {
        const bytes = new Uint8Array(8_010 + offset).fill(0x80).subarray(offset);
        bytes[at] = 0;
        expect(isBinary(bytes), `NUL at ${at}, offset ${offset}`).toBe(at < 8_000);
        expect(isBinary(bytes.subarray(0, at)), `${at} bytes, offset ${offset}`).toBe(false);
      }
  });
});
