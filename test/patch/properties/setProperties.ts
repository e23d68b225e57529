import assert from "node:assert/strict";
import fc from "fast-check";
import { applyPatchInput } from "../../../shared/patch/apply.ts";
import { canonicalJson } from "../../../shared/patch/canonical.ts";
import { invertPatchSet } from "../../../shared/patch/invert.ts";
import { parsePatchSet } from "../../../shared/patch/parse.ts";
import { sha256 } from "../hashes.ts";
import { type ExpectedLine, expectedLines, gapOf } from "../oracle.ts";
import { applyToFile, ofHead, outcomeOf, setOf } from "../patchSets.ts";
import { linesOfText, type SoundCase, soundCase } from "../soundVectors.ts";
import { type FormatProperty, property } from "./formatProperty.ts";

/** A set that fits, over the very file it was made for. */
const fitting = soundCase.map((one) => ({ ...one, actual: one.base }));
const snapshot = fitting.filter(({ coordinates }) => coordinates === "snapshot");
const inLines = fitting.filter(({ mode }) => mode === "lines");

/** More than the slowest set of this size takes on a busy machine by a factor of ten. */
const mostMs = 2_000;

export const setProperties: readonly FormatProperty[] = [
  property(
    "a set in mode exact is literally its blocks and the lines between them",
    40,
    snapshot.filter(({ mode }) => mode === "exact"),
    async (one) => {
      const after = await appliedText(one);
      fc.pre(after !== null);
      assert.equal(after, expectedTexts(one).join(""));
    },
  ),
  property(
    "bytes outside every interval are unchanged, in mode lines",
    48,
    snapshot.filter(({ mode }) => mode === "lines"),
    async (one) => {
      const after = await appliedText(one);
      fc.pre(after !== null);
      const lines = linesOfText(after ?? "").map(withoutEnding);
      const texts = expectedTexts(one).map(withoutEnding);
      const isExpected = [texts, trimmed(texts)].some((wanted) => isSame(wanted, lines));
      assert.ok(isExpected, `${JSON.stringify(lines)} instead of ${JSON.stringify(texts)}`);
      keepUntouched(linesOfText(after ?? ""), expectedLines(one));
    },
  ),
  property(
    "the order of patches at different gaps does not matter",
    40,
    snapshot.filter(({ base, patches }) => {
      const gaps = patches.map((patch) => gapOf(patch, linesOfText(base).length));
      return new Set(gaps).size === gaps.length;
    }),
    async (one) => {
      const reversed = { ...one, patches: one.patches.toReversed() };
      assert.equal(await appliedText(reversed), await appliedText(one));
    },
  ),
  property(
    "uniform CRLF stays CRLF",
    40,
    inLines.map((one) => ({
      ...one,
      base: one.base.replace(/\r?\n/g, "\r\n"),
      patches: one.patches.map(({ expect: _, ...patch }) => patch),
    })),
    async (one) => {
      const after = await appliedText(one);
      fc.pre(one.base.includes("\n") && after !== null);
      assert.doesNotMatch(after ?? "", /(?<!\r)\n/);
    },
  ),
  property(
    "a byte order mark, and a final newline or its absence, are kept",
    40,
    inLines.map((one) => ({ ...one, eof: undefined })),
    async (one) => {
      const after = await appliedText(one);
      const [before, later] = [linesOfText(one.base), linesOfText(after ?? "")];
      fc.pre(after !== null && before.length > 0 && later.length > 0);
      assert.equal(after?.startsWith("\ufeff"), one.base.startsWith("\ufeff"));
      // A blank last line without an ending has no bytes, so that the ending of the line above it shows.
      const texts = expectedTexts(one);
      const endsBlank = trimmed(texts).length < texts.length;
      if (one.coordinates === "snapshot" && !endsBlank)
        assert.equal(after?.endsWith("\n"), one.base.endsWith("\n"));
    },
  ),
  property(
    "a sequential set does what its patches do one by one",
    40,
    fitting.map((one) => ({
      ...one,
      mode: "exact" as const,
      coordinates: "sequential" as const,
      eof: undefined,
    })),
    async (one) => {
      let stepwise: string | null = one.base;
      for (const patch of one.patches)
        if (stepwise !== null)
          stepwise = await appliedText({ ...one, base: stepwise, patches: [patch] });
      fc.pre(stepwise !== null);
      assert.equal(await appliedText(one), stepwise);
    },
  ),
  property(
    "a refused set changes nothing, at every fault position",
    40,
    fc.tuple(snapshot, fc.nat({ max: 4 })),
    async ([one, at]) => {
      const place = Math.min(at, one.patches.length);
      const bytes = Buffer.from(one.base);
      const patches = one.patches.toSpliced(place, 0, { ...emptyAppend });
      const outcome = await applyToFile(bytes, setFor({ ...one, patches }));
      assert.equal(outcome.kind, "refused");
      const faults = outcome.kind === "refused" ? outcome.faults : [];
      assert.ok(faults.some(({ index, code }) => index === place && code === "empty_insert"));
      assert.equal(bytes.toString(), one.base);
    },
  ),
  property("twice is never a double insert", 40, fitting, async (one) => {
    const after = await appliedText(one);
    fc.pre(after !== null);
    const pre = { sha256: sha256(Buffer.from(one.base)) };
    const post = { sha256: sha256(Buffer.from(after ?? "")) };
    const again = await outcomeOf(after ?? "", setFor(one, { pre, post }), {});
    assert.equal(again, "already_applied");
  }),
  property("apply(b, invert) = a, in bytes", 48, fitting, async (one) => {
    const before = { bytes: Buffer.from(one.base), mode: "100644" as const };
    const set = setFor(one);
    const outcome = await applyPatchInput(set, () => before, ofHead);
    fc.pre(outcome.kind === "applied" && outcome.files.size > 0);
    if (outcome.kind !== "applied") return;
    const inverse = await invertPatchSet(set, outcome, () => before);
    const made = outcome.files.get("f") ?? undefined;
    const back = await applyPatchInput(inverse, () => made, {});
    const restored = back.kind === "applied" ? back.files.get("f")?.bytes : undefined;
    assert.equal(
      restored && Buffer.from(restored).toString("latin1"),
      before.bytes.toString("latin1"),
    );
  }),
  property("the canonical form is idempotent", 40, fc.jsonValue(), (value) => {
    const text = canonicalJson(value);
    assert.equal(canonicalJson(JSON.parse(text)), text);
    assert.equal(canonicalJson(withKeysReversed(value)), text);
  }),
  property("any input ends in a set or in codes, in bounded time", 48, fc.anything(), (input) => {
    const startedAtMs = performance.now();
    const parsed = parsePatchSet(input);
    assert.ok(performance.now() - startedAtMs < mostMs);
    if (parsed.kind === "refused") assert.ok(parsed.faults.length > 0);
  }),
  property(
    "any file ends in a result or in codes, in bounded time",
    40,
    fc.tuple(soundCase, fc.uint8Array({ maxLength: 60 })),
    async ([one, bytes]) => {
      const startedAtMs = performance.now();
      const file = { bytes, mode: "100644" as const };
      const outcome = await applyPatchInput(setFor(one), () => file, ofHead);
      assert.ok(performance.now() - startedAtMs < mostMs);
      assert.ok(outcome.kind === "applied" || outcome.kind === "refused");
      if (outcome.kind === "refused") assert.ok(outcome.faults.length > 0);
    },
  ),
];

const emptyAppend = {
  task_id: "t",
  file: "f",
  operation: "append",
  block: "",
  metadata: { provider: "p" },
};

function setFor({ mode, coordinates, eof, patches }: SoundCase, more: object = {}) {
  return setOf(patches as never, {
    mode,
    coordinates,
    files: { f: { op: "edit", ...(eof ? { eof } : {}), ...more } },
  });
}

async function appliedText(one: SoundCase): Promise<string | null> {
  const outcome = await applyToFile(one.base, setFor(one));
  // A patch that was found elsewhere is not where its numbers say, and is told of in `shifts`.
  if (outcome.kind !== "applied" || (outcome.shifts ?? []).length > 0) return null;
  return Buffer.from(outcome.files.get("f")?.bytes ?? Buffer.from(one.base)).toString("utf8");
}

/** A last line without an ending gets one when something follows it. */
function keepUntouched(lines: readonly string[], expected: readonly ExpectedLine[]): void {
  for (const [at, line] of lines.slice(0, -1).entries()) {
    const wanted = expected[at];
    if (wanted?.isUntouched === true && wanted.text.endsWith("\n")) assert.equal(line, wanted.text);
  }
}

function expectedTexts(one: SoundCase): string[] {
  return expectedLines(one).map(({ text }) => text);
}

function withoutEnding(line: string): string {
  return line.replace(/\r?\n$/, "");
}

/** Without the last line when that is blank, since it has no bytes of its own once its ending is gone. */
function trimmed(lines: readonly string[]): string[] {
  return lines.at(-1)?.replace(/\r?\n$/, "") === "" ? lines.slice(0, -1) : [...lines];
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}

function withKeysReversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKeysReversed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withKeysReversed(member)]);
  return Object.fromEntries(members.toReversed());
}
