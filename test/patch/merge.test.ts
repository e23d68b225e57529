import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeLines } from "../../shared/patch/merge.ts";
import { temporaryDirectory } from "./workspace.ts";

const base = Array.from({ length: 10 }, (_, at) => `line ${at}\n`);

const edit = fc.record({
  at: fc.nat({ max: 9 }),
  removed: fc.nat({ max: 2 }),
  added: fc.array(fc.nat({ max: 2 }), { maxLength: 2 }),
});
const side = fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
  const lines = [...base];
  for (const { at, removed, added } of edits)
    lines.splice(at, removed, ...added.map((kind) => `new ${kind}\n`));
  return lines.join("");
});

const merged = (one: string, ours: string, theirs: string) =>
  mergeLines(Buffer.from(one), Buffer.from(ours), Buffer.from(theirs));

const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString();

describe("a three-way merge by lines", () => {
  it("gives what git merge-file gives, its marks included", () => {
    const directory = temporaryDirectory();
    const files = ["ours", "base", "theirs"].map((name) => path.join(directory, name));
    const property = fc.property(side, side, (ours, theirs) => {
      for (const [at, content] of [ours, base.join(""), theirs].entries())
        writeFileSync(files[at] ?? "", content);
      const labels = ["ours", "base", "theirs"].flatMap((name) => ["-L", name]);
      const git = spawnSync("git", ["merge-file", "-p", "--diff3", ...labels, ...files]);

      const outcome = merged(base.join(""), ours, theirs);

      expect(outcome.kind).toBe(git.status === 0 ? "merged" : "conflict");
      const whole = outcome.kind === "merged" ? outcome.bytes : outcome.marked;
      expect(text(whole)).toBe(git.stdout.toString());
    });

    fc.assert(property, { numRuns: 150 });
  });

  it("does not depend on which side is whose, apart from the marks", () => {
    const property = fc.property(side, side, (ours, theirs) => {
      const [one, other] = [
        merged(base.join(""), ours, theirs),
        merged(base.join(""), theirs, ours),
      ];

      expect(one.kind).toBe(other.kind);
      if (one.kind === "merged" && other.kind === "merged") expect(one.bytes).toEqual(other.bytes);
    });

    fc.assert(property, { numRuns: 500 });
  });

  it("says where a conflict is in each of the three files", () => {
    const outcome = merged("a\nb\nc\n", "0\na\nB\nc\n", "a\nx\ny\nc\n");

    expect(outcome).toMatchObject({
      kind: "conflict",
      hunks: [
        {
          base: { start: 2, lines: 1 },
          ours: { start: 3, lines: 1 },
          theirs: { start: 2, lines: 2 },
        },
      ],
    });
  });

  it("takes a line that only lost its ending for another line", () => {
    expect(merged("a\nb\n", "a\nb", "A\nb\n")).toMatchObject({ kind: "conflict" });
    const apart = merged("a\nx\nb\n", "a\nx\nb", "A\nx\nb\n");
    expect(apart.kind === "merged" && text(apart.bytes)).toBe("A\nx\nb");
  });

  it("does not merge binary files, unless one side is as it was", () => {
    expect(merged("a\0", "b\0", "c\0")).toEqual({ kind: "conflict", hunks: [], marked: null });
    expect(merged("a\0", "b\0", "a\0")).toEqual({ kind: "merged", bytes: Buffer.from("b\0") });
  });
});
