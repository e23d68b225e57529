import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { operationsFromHunks, parseUnifiedHunks } from "../../shared/patch/fromDiff.ts";
import { outcomeOf, setOf } from "./patchSets.ts";
import { fileBytes } from "./textArbitraries.ts";
import { temporaryDirectory } from "./workspace.ts";

const context = { taskId: "t", file: "f", provider: "p" };

/** The hunks of two files as git tells them, header and all. */
function gitDiff(before: Uint8Array, after: Uint8Array, unified: number): Buffer {
  const directory = temporaryDirectory();
  for (const [name, bytes] of [
    ["a", before],
    ["b", after],
  ] as const) {
    mkdirSync(path.join(directory, name));
    writeFileSync(path.join(directory, name, "f"), bytes);
  }
  const options = ["-c", "core.autocrlf=false", "diff", "--no-index", `-U${unified}`, "--no-color"];
  try {
    return execFileSync("git", [...options, "a/f", "b/f"], { cwd: directory });
  } catch (error) {
    return (error as { stdout: Buffer }).stdout;
  }
}

function hunksOf(diff: string) {
  return parseUnifiedHunks(Buffer.from(diff)).map(({ oldStart, oldLines, newLines }) => ({
    oldStart,
    oldLines: oldLines.map((line) => Buffer.from(line).toString()),
    newLines: newLines.map((line) => Buffer.from(line).toString()),
  }));
}

describe("the operations of a git diff", () => {
  it.each([0, 3])(
    "make of one file the other, to the byte, with %d lines of context",
    async (unified) => {
      const text = fileBytes.filter((bytes) => !bytes.includes(0));
      const pairs = fc.sample(fc.tuple(text, text), { seed: 11, numRuns: 60 });

      for (const [before, after] of pairs) {
        const hunks = parseUnifiedHunks(gitDiff(before, after, unified));
        const isUtf8 = before.equals(Buffer.from(before.toString("utf8")));
        const patches = operationsFromHunks(hunks, { ...context, fileIsUtf8: isUtf8 });

        const outcome = await outcomeOf(before, setOf(patches, { mode: "exact" }));

        expect(outcome).toBe(after.toString("latin1"));
      }
    },
  );

  it("are one replace-block a run, guarded by what it removes", () => {
    const hunks = parseUnifiedHunks(Buffer.from("@@ -2,2 +2 @@\n-b\n-c\n+B\n"));

    expect(operationsFromHunks(hunks, { ...context, model: "m" })).toEqual([
      {
        task_id: "t",
        file: "f",
        operation: "replace-block",
        start: 2,
        end: 3,
        block: "B\n",
        expect: { block: "b\nc\n" },
        metadata: { provider: "p", model: "m" },
      },
    ]);
  });

  it("are base64 where the new lines are not UTF-8, without a guard where the old are not", () => {
    const diff = Buffer.from("@@ -1 +1 @@\n-caf\xe9\n+th\xe9\n", "latin1");

    const [operation] = operationsFromHunks(parseUnifiedHunks(diff), context);

    expect(operation).toMatchObject({ block: "dGjpCg==", block_encoding: "base64" });
    expect(operation).not.toHaveProperty("expect");
  });
});

describe("a unified diff", () => {
  it("adds after line n where its header says -n,0", () => {
    expect(hunksOf("@@ -3,0 +4,2 @@\n+x\n+y\n")).toEqual([
      { oldStart: 3, oldLines: [], newLines: ["x\n", "y\n"] },
    ]);
    expect(hunksOf("@@ -0,0 +1 @@\n+x\n")).toEqual([
      { oldStart: 0, oldLines: [], newLines: ["x\n"] },
    ]);
  });

  it("is read by its counts: lines that look like headers are lines", () => {
    const diff =
      "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- x\n-@@ -1 +1 @@\n+++ y\n+diff --git a b\n";

    expect(hunksOf(diff)).toEqual([
      {
        oldStart: 1,
        oldLines: ["-- x\n", "@@ -1 +1 @@\n"],
        newLines: ["++ y\n", "diff --git a b\n"],
      },
    ]);
  });

  it("says on either side that the last line has no ending", () => {
    const mark = "\\ No newline at end of file\n";

    expect(hunksOf(`@@ -1 +1 @@\n-a\n${mark}+a\n`)).toEqual([
      { oldStart: 1, oldLines: ["a"], newLines: ["a\n"] },
    ]);
    expect(hunksOf(`@@ -1 +1,2 @@\n-a\n+a\n+b\r\n${mark}`)).toEqual([
      { oldStart: 1, oldLines: ["a\n"], newLines: ["a\n", "b\r"] },
    ]);
  });

  it("has its runs told apart by context, also where that lost its space", () => {
    expect(hunksOf("@@ -1,4 +1,6 @@\n a\n+x\n\n-c\n+C\n+D\n d\n")).toEqual([
      { oldStart: 1, oldLines: [], newLines: ["x\n"] },
      { oldStart: 3, oldLines: ["c\n"], newLines: ["C\n", "D\n"] },
    ]);
  });

  it("without hunks has none", () => {
    expect(hunksOf("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n")).toEqual([]);
    expect(hunksOf("")).toEqual([]);
  });

  it.each([
    ["is cut short", "@@ -1,2 +1 @@\n-a\n"],
    ["ends in the middle of a line", "@@ -1 +1 @@\n-a\n+b"],
    ["has more lines than its header says", "@@ -1 +1 @@\n-a\n+b\n+c\n"],
    ["removes more than its header says", "@@ -1,1 +1,2 @@\n-a\n-b\n+c\n"],
    ["has context that its header does not count", "@@ -1 +1 @@\n-a\n b\n"],
    ["has a line of no kind", "@@ -1 +1 @@\n*a\n"],
    ["has a header that is none", "@@ -x +1 @@\n+b\n"],
    ["is combined", "@@@ -1 -1 +1 @@@\n++b\n"],
    [
      "is of two files",
      "diff --git a/f b/f\nold mode 100644\ndiff --git a/g b/g\n@@ -1 +1 @@\n-a\n+b\n",
    ],
    ["is of a binary file", "diff --git a/f b/f\nBinary files a/f and b/f differ\n"],
    ["holds a binary patch", "diff --git a/f b/f\nGIT binary patch\nliteral 1\n"],
  ])("that %s is not guessed at", (_, diff) => {
    expect(() => hunksOf(diff)).toThrow("The diff cannot be read at line");
  });

  it("ends in hunks or in an error, whatever it holds", () => {
    const lines = fc.constantFrom(
      "@@ -1 +1 @@",
      "@@ -0,0 +1,2 @@",
      "-a",
      "+b",
      " c",
      "\\ No",
      "",
      "diff --git a b",
    );
    const property = fc.property(fc.array(lines, { maxLength: 8 }), (diff) => {
      try {
        for (const { oldLines, newLines } of parseUnifiedHunks(Buffer.from(diff.join("\n"))))
          expect(oldLines.length + newLines.length).toBeGreaterThan(0);
      } catch (error) {
        expect(String(error)).toContain("The diff cannot be read");
      }
    });

    fc.assert(property, { numRuns: 1_000 });
  });
});
