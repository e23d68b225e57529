import type { AIPatch, PatchFile, PatchSet } from "../../shared/contracts/aiPatch.ts";
import { quotePath } from "../../shared/patch/diff/quotedPath.ts";
import { sha256 } from "./hashes.ts";
import { patchOf, setOf } from "./patchSets.ts";

/** The tree that hostile sets are for. Beside it lie files that the symlinks lead to. */
export const hostileTree = {
  f: "a\nb\n",
  "d/g": "g\n",
  ".git/config": "[core]\n",
  ".git/hooks/pre-commit": "hook\n",
  link: { link: "../outside/secret" },
  "d/up": { link: "../.." },
  loop: { link: "loop" },
  absolute: { link: "/etc" },
};

const long = "x".repeat(256);

/** Ways out of the root, into git, through a symlink, or to a file under another name. */
export const hostilePaths = [
  ...[
    "..",
    "../f",
    "../outside/secret",
    "d/../../f",
    "d/../f",
    "./f",
    "d/./g",
    "d//g",
    "/f",
    "//f",
  ],
  ...["/etc/passwd", "~/../f\u0000", "", ".", "d/", "d/..", "../tree/f", "....//f/..", "..\\f"],
  ...["d\\g", "C:f", "C:/f", "f:stream", "f::$DATA", "\\\\server\\share", "file:///etc/passwd"],
  ...[".git/config", ".git/hooks/pre-commit", ".GIT/config", "d/.git/x", ".git", "git~1/config"],
  ...[".git./config", ".git /x", ".gIt\u200c/config", "\uff0egit/x", ".git\u00ad/x", "GIT~1"],
  ...[
    "link",
    "link/x",
    "d/up/outside/secret",
    "d/up/tree/f",
    "d/up",
    "loop",
    "loop/x",
    "absolute/passwd",
  ],
  ...[
    "f\u0000",
    "f\n",
    "f\r",
    "f\t",
    "\u001b[2Jf",
    "f\u007f",
    "f\u0085",
    "f\u2028",
    "f\u202e",
    "\ufefff",
  ],
  ...["f\ufe0f", "e\u0301", "\ud800f", "\ue000", "f\u{e0041}", long, `${"a/".repeat(129)}f`],
  ...["d", "d/g/x"],
];

type Made = { name: string; set: PatchSet };

const made = (name: string, files: Record<string, unknown>, patches: AIPatch[] = []): Made => ({
  name,
  set: setOf(patches, { files: files as Record<string, PatchFile> }),
});

const pre = { sha256: sha256(Buffer.from("a\nb\n")) };
const content = { text: "x\n" };

/** Every operation on a path, and every one that reads from it. */
const operations: Record<string, (path: string) => Made> = {
  patch: (path) => made("patch", {}, [patchOf("append", "x", {}, path)]),
  sequential: (path) => {
    const one = made("sequential", {}, [patchOf("insert-before", "x", { line: 1 }, path)]);
    return { ...one, set: { ...one.set, coordinates: "sequential" } };
  },
  create: (path) => made("create", { [path]: { op: "create", content } }),
  "create below": (path) => made("create below", { [`${path}/x`]: { op: "create", content } }),
  replace: (path) => made("replace", { [path]: { op: "replace", content } }),
  delete: (path) => made("delete", { [path]: { op: "delete", pre } }),
  mode: (path) => made("mode", { [path]: { op: "edit", mode: "100755", pre } }),
  "rename to": (path) => made("rename to", { [path]: { op: "rename", from: "f" } }),
  "rename from": (path) => made("rename from", { new: { op: "rename", from: path } }),
  "copy to": (path) => made("copy to", { [path]: { op: "copy", from: "f" } }),
  "copy from": (path) => made("copy from", { new: { op: "copy", from: path } }),
  beside: (path) =>
    made("beside", { new: { op: "create", content }, [path]: { op: "create", content } }),
};

/** What a path is good for by itself: it is there as a plain file, or a plain new one can stand there. */
const isHarmless: Record<string, readonly string[]> = {
  d: ["create below"],
};

export function hostileSets(): Made[] {
  const products = hostilePaths.flatMap((path) =>
    Object.entries(operations).flatMap(([operation, make]) => {
      if (isHarmless[path]?.includes(operation)) return [];
      const { set } = make(path);
      return [{ name: `${operation} ${JSON.stringify(path).slice(0, 60)}`, set }];
    }),
  );
  return [...products, ...handWrittenSets];
}

const link = { text: "../outside/secret" };
const block = (text: string, more: object = {}) => [patchOf("append", text, more)];

/** What no product of paths and operations makes. */
const handWrittenSets: Made[] = [
  made("a new symlink", { new: { op: "create", mode: "120000", content: link } }),
  made("a file made a symlink", { f: { op: "edit", mode: "120000" } }),
  made("a submodule", { new: { op: "create", mode: "160000", content } }),
  made("a mode with setuid", { new: { op: "create", mode: "104755", content } }),
  made("two files that differ in case", {
    New: { op: "create", content },
    new: { op: "create", content },
  }),
  made("two files that differ in Unicode form", {
    "\ufb01x": { op: "create", content },
    fix: { op: "create", content },
  }),
  made("a file and a file below it", {
    new: { op: "create", content },
    "new/x": { op: "create", content },
  }),
  made("one file renamed to two", {
    x: { op: "rename", from: "f" },
    y: { op: "rename", from: "f" },
  }),
  made("a file renamed and deleted", { x: { op: "rename", from: "f" }, f: { op: "delete", pre } }),
  made("a deletion that says nothing of the file", { f: { op: "delete" } }),
  made("a deletion of another file than is there", {
    f: { op: "delete", pre: { sha256: "0".repeat(64) } },
  }),
  made("content in storage", { new: { op: "create", content: { r2: "key" } } }),
  made("content twice", { new: { op: "create", content: { text: "x", base64: "eA==" } } }),
  made("base64 with a line in it", { new: { op: "create", content: { base64: "eA\n==" } } }),
  made("an unknown operation on a file", { f: { op: "chmod" } }),
  made("a NUL in a block", {}, block("a\0b")),
  made("half a surrogate pair in a block", {}, block("\ud800")),
  made("a byte order mark in a block", {}, block("\ufeffx")),
  made("an unknown field", {}, block("x", { command: "rm" })),
  made("a line that is no whole number", {}, [patchOf("insert-after", "x", { line: 0.5 })]),
  made("a line beyond every file", {}, [
    patchOf("replace-block", "x", { start: 1, end: Number.MAX_SAFE_INTEGER }),
  ]),
  made("a negative line", {}, [patchOf("insert-after", "x", { line: -1 })]),
];

const hunk = "@@ -1,2 +1,2 @@\n a\n-b\n+x\n";

/** Diffs of a path, as git would quote it and as it is. */
export function hostileDiffs(): { name: string; diff: Uint8Array }[] {
  const products = hostilePaths.flatMap((path) =>
    Object.entries(quotings).flatMap(([quoting, quote]) =>
      Object.entries(diffs).map(([operation, make]) => ({
        name: `${operation}, ${quoting}: ${JSON.stringify(path).slice(0, 60)}`,
        diff: Buffer.from(make((prefix) => quote(`${prefix}${path}`))),
      })),
    ),
  );
  const own = Object.entries(handWrittenDiffs);
  return [...products, ...own.map(([name, text]) => ({ name, diff: Buffer.from(text) }))];
}

const header = (path: string) => `diff --git a/${path} b/${path}\n`;
const sides = "--- a/f\n+++ b/f\n";

const handWrittenDiffs: Record<string, string> = {
  "no diff at all": "rm -rf /\n",
  "a hunk without a header": hunk,
  "a hunk shorter than it says": `${header("f")}${sides}@@ -1,9 +1,9 @@\n a\n`,
  "a hunk with more lines than it says": `${header("f")}${sides}@@ -1 +1 @@\n-a\n-b\n+x\n`,
  "a count that overflows": `${header("f")}${sides}@@ -1,99999999999 +1 @@\n-a\n+x\n`,
  "a new symlink": `${header("new")}new file mode 120000\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+/etc\n`,
  "a new submodule": `${header("sub")}new file mode 160000\n--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit ${"1".repeat(40)}\n`,
  "a file made a symlink": `${header("f")}old mode 100644\nnew mode 120000\n`,
  "two names of one file": `diff --git a/f b/../f\n--- a/f\n+++ b/../f\n${hunk}`,
  "a rename to two": `${header("f")}rename from f\nrename to x\ncopy from f\ncopy to y\n`,
  "a file that is on neither side": `${header("f")}--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+x\n`,
  "a quoting without an end": `diff --git "a/f b/f\n--- "a/f\n+++ b/f\n${hunk}`,
  "a name that is not UTF-8": `diff --git "a/\\377" "b/\\377"\n--- "a/\\377"\n+++ "b/\\377"\n${hunk}`,
  "binary data that is damaged": `${header("f")}index ${"1".repeat(40)}..${"2".repeat(40)}\nGIT binary patch\nliteral 3\nKcmZ\n\n`,
  "binary without data": `${header("f")}Binary files a/f and b/f differ\n`,
  "lines of another file": `${header("f")}${sides}@@ -1,2 +1,2 @@\n other\n-lines\n+x\n`,
};

const quotings: Record<string, (path: string) => string> = {
  "as git quotes": quotePath,
  "as it is": (path) => path,
  "all in octal": (path) =>
    `"${[...Buffer.from(path)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`,
};

const diffs: Record<string, (named: (prefix: string) => string) => string> = {
  modify: (named) =>
    `diff --git ${named("a/")} ${named("b/")}\n--- ${named("a/")}\n+++ ${named("b/")}\n${hunk}`,
  plain: (named) => `--- ${named("a/")}\n+++ ${named("b/")}\n${hunk}`,
  create: (named) =>
    `diff --git ${named("a/")} ${named("b/")}\nnew file mode 100644\n--- /dev/null\n+++ ${named("b/")}\n@@ -0,0 +1 @@\n+x\n`,
  delete: (named) =>
    `diff --git ${named("a/")} ${named("b/")}\ndeleted file mode 100644\n--- ${named("a/")}\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n`,
  "rename to": (named) => `diff --git a/f ${named("b/")}\nrename from f\nrename to ${named("")}\n`,
  "copy from": (named) => `diff --git ${named("a/")} b/new\ncopy from ${named("")}\ncopy to new\n`,
  mode: (named) => `diff --git ${named("a/")} ${named("b/")}\nold mode 100644\nnew mode 100755\n`,
};
