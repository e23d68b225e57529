import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patchSetSchema } from "../../shared/contracts/aiPatch.ts";
import { checkPatchSet } from "../../shared/patch/check.ts";
import { parsePatchSet } from "../../shared/patch/parse.ts";
import { setFromSeedPayload } from "../../shared/patch/seedPayload.ts";
import { patchOf, replaceLine, setOf } from "./patchSets.ts";
import { soundCase, soundVector } from "./soundVectors.ts";
import { wildVector } from "./wildVectors.ts";

/** What the parser says beyond the wire type: fields that fit the operation, submodules, text that can be sent. */
const beyondTheWireType = /takes no|is missing|surrogate|makes a submodule/;

describe("the parser", () => {
  it("accepts what the wire type accepts, and refuses what it refuses", () => {
    const sets = fc.oneof(wildVector, soundCase.map(soundVector)).map(({ set }) => set);
    const property = fc.property(sets, (set) => {
      const input: unknown = JSON.parse(JSON.stringify(set));
      const parsed = parsePatchSet(input);
      const isWireType = patchSetSchema.safeParse(input).success;

      if (parsed.kind === "parsed") expect(isWireType).toBe(true);
      else if (isWireType)
        for (const { message } of parsed.faults) expect(message).toMatch(beyondTheWireType);
    });

    fc.assert(property, { numRuns: 2_000 });
  });

  it("hands back the very set that it was given", () => {
    const set = setOf([replaceLine(1, "x")], { files: { f: { op: "edit", mode: "100755" } } });

    expect(parsePatchSet(set)).toEqual({ kind: "parsed", set });
  });

  it("names every fault at once, files first", () => {
    const patches = [
      { ...replaceLine(1, "x"), line: 1 },
      { ...patchOf("append", "x"), operation: "prepend", surprise: true },
      null,
    ];
    const input = {
      ...setOf([]),
      files: { b: { op: "edit" }, a: { op: "edit", mode: 7 } },
      patches,
    };

    const parsed = parsePatchSet(input);

    expect(parsed).toMatchObject({
      kind: "refused",
      faults: [
        { index: null, file: "a", code: "schema_unsupported" },
        { index: 0, file: "f", code: "unexpected_field" },
        { index: 1, file: "f", code: "unexpected_field" },
        { index: 1, file: "f", code: "unknown_operation" },
        { index: 2, file: null, code: "schema_unsupported" },
      ],
    });
  });

  it("does not repeat a hostile name to whoever reads the fault", () => {
    const parsed = parsePatchSet({ ...setOf([]), "\u001b[2J": 1 });

    expect(JSON.stringify(parsed)).not.toContain("2J");
  });
});

describe("a payload of the seed plan", () => {
  const patch = patchOf("append", "x");

  it("becomes a set in mode lines with snapshot coordinates", () => {
    const expected = { mode: "lines", coordinates: "snapshot", task_id: "t", patches: [patch] };

    expect(setFromSeedPayload(patch)).toMatchObject(expected);
    expect(setFromSeedPayload([patch])).toMatchObject(expected);
    expect(parsePatchSet(setFromSeedPayload([patch])).kind).toBe("parsed");
  });

  it("is nothing else: a set stays what it is", () => {
    const set = setOf([patch]);

    expect(setFromSeedPayload(set)).toBe(set);
    expect(setFromSeedPayload("text")).toBe("text");
  });
});

describe("a check without files", () => {
  it("finds all that can be said, and nothing that needs a file", () => {
    const set = setOf(
      [
        patchOf("replace-block", "x", { start: 3, end: 2 }),
        replaceLine(99, "x"),
        replaceLine(99, "x"),
      ],
      { files: { ".npmrc": { op: "create" }, "a/../b": { op: "create" } } },
    );

    const codes = checkPatchSet(set, { allowedPaths: ["f"] }).map(({ index, code }) => [
      index,
      code,
    ]);

    expect(codes).toEqual([
      [null, "path_not_allowed"],
      [null, "protected_path"],
      [null, "bad_path"],
      [0, "out_of_range"],
      [2, "duplicate_patch"],
    ]);
  });

  it("finds text that cannot be sent in a set that was not parsed", () => {
    const guarded = { ...replaceLine(1, "x"), expect: { before: "\udc00" } };

    expect(checkPatchSet(setOf([guarded]), {})).toMatchObject([{ code: "ill_formed_text" }]);
  });
});
