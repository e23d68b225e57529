import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appliedByGit, diffByGit } from "../../scripts/bench-patch/gitApply.ts";
import { roundTrip, type Tree } from "../../scripts/bench-patch/roundTrip.ts";
import type { TreeFile } from "../../shared/patch/apply.ts";
import { parseGitDiff } from "../../shared/patch/diff/parseGitDiff.ts";
import { patchSetFromDiff } from "../../shared/patch/diff/patchSetFromDiff.ts";
import { quotePath } from "../../shared/patch/diff/quotedPath.ts";
import { writeGitDiff } from "../../shared/patch/diff/writeGitDiff.ts";
import { movedVector } from "./movedVectors.ts";
import { gitSteps } from "./properties/gitSteps.ts";
import { rewrittenVector } from "./rewrittenVectors.ts";
import { soundCase, soundVector } from "./soundVectors.ts";

const seed = 20_251_121;
const bytes = (text: string) => Buffer.from(text, "latin1");
const file = (text: string, mode: TreeFile["mode"] = "100644"): TreeFile => ({
  bytes: bytes(text),
  mode,
});
const tree = (files: Record<string, string>): Tree =>
  new Map(Object.entries(files).map(([path, text]) => [path, file(text)]));

describe("a set that applies, written as a diff", () => {
  it.each([
    ["changes of lines", soundCase.map(soundVector), 300],
    ["operations on files", movedVector, 400],
    ["whole files", rewrittenVector, 150],
  ])("is applied by git, and taken back: %s", async (_, vectors: fc.Arbitrary<object>, numRuns) => {
    const steps = await gitSteps(vectors, numRuns, seed);

    expect(steps.length).toBeGreaterThan(numRuns / 20);
    expect(await appliedByGit(steps)).toBeNull();
  });
});

describe("our diff", () => {
  it("is written as git writes it, to the byte", async () => {
    const [before, after] = [
      tree({ "a b": "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "d/gone": "x\n", e: "", é: "é\n" }),
      tree({ "a b": "1\n2\n3\n4\nV\n6\n7\n8\n9\n10\n11\n12", "d/new": "y", f: "", é: "e\n" }),
    ];
    const paths = [...new Set([...before.keys(), ...after.keys()])].sort();

    const ours = await writeGitDiff(
      paths.map((path) => ({
        path,
        before: before.get(path) ?? null,
        after: after.get(path) ?? null,
      })),
    );

    expect(sections(ours)).toEqual(sections(diffByGit(before, after)));
  });
});

/** Git compares two directories here and names both in the first line of a section, which is left out. */
const sections = (diff: Uint8Array): string[] =>
  Buffer.from(diff)
    .toString()
    .split(/^(?=diff --git )/m)
    .map((one) => one.slice(one.indexOf("\n")));

describe("a diff that git wrote", () => {
  const text = fc
    .string({ unit: "binary", maxLength: 30 })
    .map((one) => one.replaceAll("\r", "\n"));
  const side = fc.dictionary(fc.constantFrom("a", "b c", "d/é", 'q"t', "x\\y", "e/f/g"), text, {
    maxKeys: 4,
  });

  it("becomes a set that makes the same files, and whose inverse gives the old ones back", async () => {
    const pairs = fc.sample(fc.tuple(side, side), { seed, numRuns: 60 });
    for (const [old, new_] of pairs) {
      const [before, after] = [old, new_].map((one) =>
        tree(Object.fromEntries(Object.entries(one).filter(([path]) => !path.includes("\\")))),
      ) as [Tree, Tree];
      const diff = diffByGit(before, after);
      if (diff.length === 0) continue;

      expect(await roundTrip(diff, before, after)).toMatchObject({ kind: "held" });
    }
  });

  it("is read with all that its headers say", () => {
    const diff = [
      "From: somebody",
      "Subject: -- x",
      "",
      'diff --git "a/b\\303\\251\\t\\"" b/new',
      "old mode 100644",
      "new mode 100755",
      "similarity index 50%",
      'rename from "b\\303\\251\\t\\""',
      "rename to new",
      `index ${"1".repeat(40)}..${"2".repeat(40)}`,
      '--- "a/b\\303\\251\\t\\""',
      "+++ b/new",
      "@@ -1,2 +1,2 @@ function",
      " a",
      "--- x",
      "+++ y",
      "-- ",
      "2.40.0",
      "",
    ].join("\n");

    expect(parseGitDiff(bytes(diff))).toMatchObject([
      {
        op: "rename",
        oldPath: 'bé\t"',
        newPath: "new",
        oldMode: "100644",
        newMode: "100755",
        oldBlob: "1".repeat(40),
        addedLines: 1,
        removedLines: 1,
      },
    ]);
  });

  it.each(["plain name", "é", 'a"b', "a\\b", "a\tb", "a\nb", "\u0001\u007f"])(
    "quotes %j as git does",
    (name) => {
      const git = spawnSync("git", ["hash-object", "--stdin-paths"], { input: "" });
      expect(git.status).toBe(0);
      const quoted = quotePath(`a/${name}`);

      const diff = `diff --git ${quoted} ${quotePath(`b/${name}`)}\nold mode 100644\nnew mode 100755\n`;
      const listed = spawnSync("git", ["apply", "--numstat", "-z"], { input: diff });

      expect(listed.stdout.toString()).toBe(`0\t0\t${name}\0`);
      expect(parseGitDiff(Buffer.from(diff))[0]?.newPath).toBe(name);
    },
  );
});

describe("a diff that is no set", () => {
  const modes = "old mode 100644\nnew mode 100755\n";
  it.each([
    ["nothing", ""],
    ["text", "hello\n"],
    ["a hunk alone", "@@ -1 +1 @@\n-a\n+b\n"],
    ["a hunk that is cut", "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+b\n"],
    [
      "a new file with old lines",
      "diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n",
    ],
    [
      "a deleted file that keeps lines",
      "diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n",
    ],
    ["two names and no rename", `diff --git a/f b/g\n${modes}`],
    [
      "two names below and no rename",
      "diff --git a/f b/f\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n",
    ],
    [
      "other names below than above",
      `diff --git a/f b/f\nrename from f\nrename to g\n--- a/h\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n`,
    ],
    [
      "new and renamed at once",
      "diff --git a/f b/g\nnew file mode 100644\nrename from f\nrename to g\n",
    ],
    ["a mode that is none", "diff --git a/f b/f\nold mode 100644\nnew mode 10x755\n"],
    ["no change", "diff --git a/f b/f\nindex 1111111..2222222 100644\n"],
    ["a name that is not UTF-8", `diff --git "a/\\377" "b/\\377"\n${modes}`],
    ["binary data in another base", 'diff --git a/f b/f\nGIT binary patch\nliteral 1\nA~~~"~\n\n'],
  ])("is refused as a whole: %s", async (_, diff) => {
    const converted = await convert(diff);

    expect(converted).toMatchObject({
      kind: "refused",
      faults: [{ index: null, file: null, code: "schema_unsupported" }],
    });
  });

  it.each([
    [
      "a symlink",
      "new file mode 120000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n",
      "path_not_allowed",
    ],
    [
      "a submodule",
      "new file mode 160000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n",
      "path_not_allowed",
    ],
    [
      "binary files without data",
      "index 1111111..2222222 100644\nBinary files a/f and b/f differ\n",
      "binary_file",
    ],
    ["damaged binary data", "GIT binary patch\nliteral 9\nEc$@<O00001\n\n", "ill_formed_text"],
    ["a delta of another file", "GIT binary patch\ndelta 9\nPcmY#nVq##6JOBU!0Ra!)\n\n", "stale"],
    [
      "more binary data than is taken",
      "GIT binary patch\nliteral 99999999999\nEc$@<O00001\n\n",
      "too_large",
    ],
  ])("says which file and why: %s", async (_, body, code) => {
    const converted = await convert(`diff --git a/f b/f\n${body}`);

    expect(converted).toMatchObject({ kind: "refused", faults: [{ file: "f", code }] });
  });

  it("lists every file that cannot be one, and a file that comes twice", async () => {
    const one = "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n";
    const other = "diff --git a/g b/g\nBinary files a/g and b/g differ\n";

    expect(await convert(`${one}${other}${one}`)).toMatchObject({
      faults: [
        { file: "f", code: "duplicate_patch" },
        { file: "g", code: "binary_file" },
      ],
    });
  });

  const convert = (diff: string) =>
    patchSetFromDiff(
      bytes(diff),
      { id: "s", taskId: "t", provider: "p", base: {} },
      () => undefined,
    );
});

describe("binary data", () => {
  const noise = (length: number, of: number) =>
    Uint8Array.from({ length }, (_, at) => (at * at * of + at) % 251);
  const cases: [string, Uint8Array | null, Uint8Array | null][] = [
    ["made", null, noise(1_000, 3)],
    ["deleted", noise(1_000, 3), null],
    ["changed as a delta", noise(5_000, 3), Buffer.concat([noise(4_000, 3), Buffer.from("more")])],
    ["changed as a literal", noise(30, 3), noise(60, 7)],
    ["emptied", Uint8Array.of(0, 1), new Uint8Array(0)],
  ];

  it.each(cases)("is read from git, and written for git: a file is %s", async (_, old, new_) => {
    const sideOf = (content: Uint8Array | null): Tree =>
      new Map(content === null ? [] : [["f", { bytes: content, mode: "100644" as const }]]);
    const [before, after] = [sideOf(old), sideOf(new_)];

    const held = await roundTrip(diffByGit(before, after), before, after);

    expect(held).toMatchObject({ kind: "held" });
    if (held.kind === "held") expect(await appliedByGit([{ before, after, ...held }])).toBeNull();
  });

  it("that git wrote as a delta is not taken for another file", async () => {
    const before = new Map([["f", { bytes: noise(5_000, 3), mode: "100644" as const }]]);
    const after = new Map([["f", { bytes: noise(4_990, 3), mode: "100644" as const }]]);
    const diff = diffByGit(before, after);
    expect(Buffer.from(diff).toString("latin1")).toContain("\ndelta ");

    const converted = await patchSetFromDiff(
      diff,
      { id: "s", taskId: "t", provider: "p", base: {} },
      () => ({ bytes: noise(5_000, 5), mode: "100644" }),
    );

    expect(converted).toMatchObject({ kind: "refused" });
  });
});
