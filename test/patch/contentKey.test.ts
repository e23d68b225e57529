import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runPython } from "../../scripts/vectors/engines.ts";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { canonicalJson } from "../../shared/patch/canonical.ts";
import { contentKey } from "../../shared/patch/contentKey.ts";
import { sha256 } from "./hashes.ts";
import { replaceLine, setOf } from "./patchSets.ts";

describe("canonical JSON", () => {
  it("is idempotent, and does not depend on the order of keys", () => {
    const property = fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);

      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(withKeysReversed(value))).toBe(text);
    });

    fc.assert(property, { numRuns: 1_000 });
  });

  it("sorts keys by UTF-16 code units and has no white space", () => {
    expect(
      canonicalJson({ "\ufb33": 1, "\u{1f600}": 2, b: undefined, a: [1.0, -0, "\u2028"] }),
    ).toBe('{"a":[1,0,"\u2028"],"\u{1f600}":2,"\ufb33":1}');
  });
});

describe("the content key", () => {
  const set = setOf([replaceLine(1, "x")], { base: { commit: "c" }, files: { f: { op: "edit" } } });

  it("is the SHA-256 of base, files and patches", async () => {
    const { base, files, patches } = set;

    expect(await contentKey(set)).toBe(
      sha256(Buffer.from(canonicalJson({ base, files, patches }))),
    );
  });

  it("leaves the ids out", async () => {
    const other: PatchSet = { ...set, id: "other", task_id: "other", execution_id: "e" };

    expect(await contentKey(other)).toBe(await contentKey(set));
    expect(await contentKey({ ...set, base: {} })).not.toBe(await contentKey(set));
  });

  it("is the same in Python, for every number and every text", async () => {
    const confidences = [
      0, 1, 0.5, 1e-5, 1.5e-7, 1e-21, 0.1, 0.30000000000000004, 5e-324, 1e-6, 9.9e-7,
    ];
    const shares = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed: 3, numRuns: 300 });
    const texts = fc.sample(fc.string({ unit: "binary" }), { seed: 3, numRuns: 300 });
    const sets = [...confidences, ...shares].map((confidence, at) => {
      const metadata = { provider: texts[at] ?? "p", confidence };
      return setOf([{ ...replaceLine(1, "x"), metadata }]);
    });
    const vectors = sets.map((one) => ({ name: "key", files: {}, set: one, after: {} }));

    const python = runPython({ text: JSON.stringify({ vectors }) });

    for (const [at, one] of sets.entries())
      expect(python[at]?.content_key).toBe(await contentKey(JSON.parse(JSON.stringify(one))));
  });
});

function withKeysReversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKeysReversed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, one]) => [key, withKeysReversed(one)] as const);
  return Object.fromEntries(members.reverse());
}
