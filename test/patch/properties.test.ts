import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatchInput } from "../../shared/patch/apply.ts";
import { parsePatchSet } from "../../shared/patch/parse.ts";
import { sha256 } from "./hashes.ts";
import { type ExpectedLine, expectedLines, gapOf } from "./oracle.ts";
import { applyToFile, ofHead, outcomeOf, setOf } from "./patchSets.ts";
import { linesOfText, type SoundCase, soundCase } from "./soundVectors.ts";

/** More runs for a longer search: AIPATCH_RUNS=5000. */
const numRuns = Number(process.env.AIPATCH_RUNS ?? 400);

/** A set that fits, over the very file it was made for. */
const fitting = soundCase.map((one) => ({ ...one, actual: one.base }));
const snapshot = fitting.filter(({ coordinates }) => coordinates === "snapshot");

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

describe("a snapshot set that applies", () => {
  it("is literally the blocks and the lines between them, in mode exact", async () => {
    const exact = snapshot.filter(({ mode }) => mode === "exact");
    const property = fc.asyncProperty(exact, async (one) => {
      const after = await appliedText(one);

      fc.pre(after !== null);
      expect(after).toBe(expectedTexts(one).join(""));
    });

    await fc.assert(property, { numRuns });
  });

  it("has every block in its place, and other lines as they were, in mode lines", async () => {
    const inLines = snapshot.filter(({ mode }) => mode === "lines");
    const property = fc.asyncProperty(inLines, async (one) => {
      const after = await appliedText(one);
      const lines = linesOfText(after ?? "");

      fc.pre(after !== null);
      const texts = expectedTexts(one).map(withoutEnding);
      expect([texts, trimmed(texts)]).toContainEqual(lines.map(withoutEnding));
      const expected = expectedLines(one);
      for (const [at, line] of lines.slice(0, -1).entries())
        if (keepsItsBytes(expected[at])) expect(line).toBe(expected[at]?.text);
    });

    await fc.assert(property, { numRuns });
  });

  it("does not depend on the order of patches at different gaps", async () => {
    const apart = snapshot.filter(({ base, patches }) => {
      const gaps = patches.map((patch) => gapOf(patch, linesOfText(base).length));
      return new Set(gaps).size === gaps.length;
    });
    const property = fc.asyncProperty(apart, async (one) => {
      const reversed = { ...one, patches: one.patches.toReversed() };

      expect(await appliedText(reversed)).toBe(await appliedText(one));
    });

    await fc.assert(property, { numRuns });
  });
});

describe("a set in mode lines that applies", () => {
  const inLines = fitting.filter(({ mode }) => mode === "lines");

  it("keeps a uniform CRLF file uniform", async () => {
    const withCrlf = inLines.map((one) => ({
      ...one,
      base: one.base.replace(/\r?\n/g, "\r\n"),
      patches: one.patches.map(({ expect: _, ...patch }) => patch),
    }));
    const property = fc.asyncProperty(withCrlf, async (one) => {
      const after = await appliedText(one);

      fc.pre(one.base.includes("\n") && after !== null);
      expect(after).not.toMatch(/(?<!\r)\n/);
    });

    await fc.assert(property, { numRuns });
  });

  it("keeps a byte order mark, and a final newline or its absence", async () => {
    const preserved = inLines.map((one) => ({ ...one, eof: undefined }));
    const property = fc.asyncProperty(preserved, async (one) => {
      const after = await appliedText(one);
      const [before, later] = [linesOfText(one.base), linesOfText(after ?? "")];

      fc.pre(after !== null && before.length > 0 && later.length > 0);
      expect(after?.startsWith("\ufeff")).toBe(one.base.startsWith("\ufeff"));
      // A blank last line without an ending has no bytes, so that the ending of the line above it shows.
      const texts = expectedTexts(one);
      const endsBlank = trimmed(texts).length < texts.length;
      if (one.coordinates === "snapshot" && !endsBlank)
        expect(after?.endsWith("\n")).toBe(one.base.endsWith("\n"));
    });

    await fc.assert(property, { numRuns });
  });
});

describe("a sequential set that applies", () => {
  it("does what its patches do one by one", async () => {
    const sequential = fitting.map((one) => ({
      ...one,
      mode: "exact" as const,
      coordinates: "sequential" as const,
      eof: undefined,
    }));
    const property = fc.asyncProperty(sequential, async (one) => {
      let stepwise: string | null = one.base;
      for (const patch of one.patches)
        if (stepwise !== null)
          stepwise = await appliedText({ ...one, base: stepwise, patches: [patch] });

      fc.pre(stepwise !== null);
      expect(await appliedText(one)).toBe(stepwise);
    });

    await fc.assert(property, { numRuns });
  });
});

describe("a set", () => {
  it("with a fault at any place is refused whole, and says so of that patch", async () => {
    const wrong = {
      task_id: "t",
      file: "f",
      operation: "append",
      block: "",
      metadata: { provider: "p" },
    };
    const property = fc.asyncProperty(snapshot, fc.nat({ max: 4 }), async (one, at) => {
      const place = Math.min(at, one.patches.length);
      const patches = one.patches.toSpliced(place, 0, wrong);
      const bytes = Buffer.from(one.base);

      const outcome = await applyToFile(bytes, setFor({ ...one, patches }));

      expect(outcome).toMatchObject({ kind: "refused" });
      expect(outcome).toHaveProperty(
        "faults",
        expect.arrayContaining([expect.objectContaining({ index: place, code: "empty_insert" })]),
      );
      expect(bytes.toString()).toBe(one.base);
    });

    await fc.assert(property, { numRuns });
  });

  it("that says what it starts from and ends as never acts twice", async () => {
    const property = fc.asyncProperty(fitting, async (one) => {
      const after = await appliedText(one);
      fc.pre(after !== null);
      const pre = { sha256: sha256(Buffer.from(one.base)) };
      const post = { sha256: sha256(Buffer.from(after ?? "")) };

      expect(await outcomeOf(after ?? "", setFor(one, { pre, post }), {})).toBe("already_applied");
    });

    await fc.assert(property, { numRuns });
  });
});

describe("any input", () => {
  it("ends in a set or in faults", () => {
    const property = fc.property(fc.anything(), (input) => {
      const parsed = parsePatchSet(input);

      if (parsed.kind === "refused") expect(parsed.faults.length).toBeGreaterThan(0);
    });

    fc.assert(property, { numRuns: 2_000 });
  });

  it("ends in an outcome, whatever the file holds", async () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const property = fc.asyncProperty(soundCase, bytes, async (one, content) => {
      const file = { bytes: content, mode: "100644" as const };

      const outcome = await applyPatchInput(setFor(one), () => file, ofHead);

      expect(["applied", "refused"]).toContain(outcome.kind);
    });

    await fc.assert(property, { numRuns });
  });
});

/** A last line without an ending gets one when something follows it. */
function keepsItsBytes(line: ExpectedLine | undefined): boolean {
  return line?.isUntouched === true && line.text.endsWith("\n");
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
