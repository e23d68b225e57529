import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { patchManagerPath } from "./diskTree.ts";
import { sha256 } from "./hashes.ts";
import { patchOf, replaceLine, setOf } from "./patchSets.ts";
import {
  applyOnDisk,
  contentOf,
  runPatchManager,
  temporaryDirectory,
  treeOnDisk,
} from "./workspace.ts";

const appendX = (file = "f") => setOf([patchOf("append", "x", {}, file)]);
const permissionsOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe("patch_manager.py apply", () => {
  it("changes the tree and says what each file became", () => {
    const root = treeOnDisk({ f: "a\n", g: "g\n", "d/h": "h\n" });
    const pre = { sha256: sha256(Buffer.from("g\n")) };
    const files = {
      g: { op: "delete" as const, pre },
      "new/n": { op: "create" as const, content: { text: "n" } },
    };

    const result = applyOnDisk(root, setOf([replaceLine(1, "b")], { files }), "--base-is-head");

    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.json).toEqual({
      kind: "applied",
      files: [
        { path: "f", sha256: sha256(Buffer.from("b\n")), mode: "100644" },
        { path: "g", deleted: true },
        { path: "new/n", sha256: sha256(Buffer.from("n")), mode: "100644" },
      ],
      shifts: [],
      merged: [],
    });
    expect(contentOf(path.dirname(root))).toEqual({
      "tree/f": "b\n",
      "tree/d/h": "h\n",
      "tree/new/n": "n",
    });
  });

  it("lists every fault of a refused set and changes nothing", () => {
    const root = treeOnDisk({ f: "a\n" });
    const set = setOf([replaceLine(1, "b"), replaceLine(7, "x"), patchOf("append", "")]);

    const result = applyOnDisk(root, set, "--base-is-head");

    expect(result.status).toBe(1);
    expect(result.json).toMatchObject({
      kind: "refused",
      faults: [
        { index: 1, file: "f", code: "out_of_range" },
        { index: 2, file: "f", code: "empty_insert" },
      ],
    });
    expect(contentOf(path.dirname(root))).toEqual({ "tree/f": "a\n" });
  });

  it("says that a set is applied already, and leaves the tree alone", () => {
    const root = treeOnDisk({ f: "a\nx\n" });
    const post = { sha256: sha256(Buffer.from("a\nx\n")) };
    const set = setOf([patchOf("append", "x")], { files: { f: { op: "edit", post } } });

    expect(applyOnDisk(root, set)).toMatchObject({ status: 0, json: { kind: "already_applied" } });
    expect(contentOf(root)).toEqual({ f: "a\nx\n" });
  });

  it("tells how far a patch was moved to what it expects", () => {
    const root = treeOnDisk({ f: "new\nnew\na\n" });
    const set = setOf([{ ...replaceLine(1, "A"), expect: { block: "a" } }]);

    const result = applyOnDisk(root, set);

    expect(result.json).toMatchObject({
      kind: "applied",
      shifts: [{ index: 0, file: "f", lines: 2 }],
    });
    expect(contentOf(root)).toEqual({ f: "new\nnew\nA\n" });
  });

  it("takes a payload of the seed plan from a file", () => {
    const root = treeOnDisk({ f: "a\n" });
    const setFile = path.join(temporaryDirectory(), "set.json");
    writeFileSync(setFile, JSON.stringify([patchOf("append", "x")]));

    const result = runPatchManager(["apply", "--root", root, "--base-is-head", setFile]);

    expect(result.status).toBe(0);
    expect(contentOf(root)).toEqual({ f: "a\nx\n" });
  });

  it("keeps permissions, and gives execute bits where a set asks for them", () => {
    const root = treeOnDisk({
      private: { text: "a\n", mode: 0o600 },
      shared: { text: "a\n", mode: 0o664 },
      tool: { text: "a\n", mode: 0o744 },
      moved: { text: "a\n", mode: 0o640 },
    });
    const files = {
      private: { op: "edit" as const, mode: "100755" as const },
      "sub/moved": { op: "rename" as const, from: "moved" },
      made: { op: "create" as const, mode: "100755" as const },
    };
    const patches = ["private", "shared", "tool"].map((file) => patchOf("append", "x", {}, file));

    const result = applyOnDisk(root, setOf(patches, { files }), "--base-is-head");

    const permissions = ["private", "shared", "tool", "sub/moved", "made"].map((file) =>
      permissionsOf(path.join(root, file)),
    );
    expect(result.status).toBe(0);
    expect(permissions).toEqual([
      "700",
      "664",
      "744",
      "640",
      (0o777 & ~process.umask()).toString(8),
    ]);
  });

  it("removes the directories that it empties, and no others", () => {
    const root = treeOnDisk({ "a/b/c": "c\n", "k/l": "l\n" });
    mkdirSync(path.join(root, "empty"));
    const pre = { sha256: sha256(Buffer.from("c\n")) };

    applyOnDisk(root, setOf([], { files: { "a/b/c": { op: "delete", pre } } }));

    expect(contentOf(root)).toEqual({ "k/l": "l\n", empty: "(empty directory)" });
  });

  it("lets a file take the place of a directory that the set empties, and the other way round", () => {
    const root = treeOnDisk({ "a/b": "b\n", c: "c\n" });
    mkdirSync(path.join(root, "a/empty"));
    const deleted = (text: string) => ({
      op: "delete" as const,
      pre: { sha256: sha256(Buffer.from(text)) },
    });
    const created = { op: "create" as const };

    const files = { "a/b": deleted("b\n"), a: created, c: deleted("c\n"), "c/d": created };
    const result = applyOnDisk(root, setOf([], { files }));

    expect(result.status).toBe(0);
    expect(contentOf(root)).toEqual({ a: "", "c/d": "" });
  });

  it("does not put a file where a directory stays", () => {
    const root = treeOnDisk({ "a/b": "b\n" });

    const result = applyOnDisk(root, setOf([], { files: { a: { op: "create" } } }));

    expect(result).toMatchObject({
      status: 1,
      json: { faults: [{ file: "a", code: "file_exists" }] },
    });
  });
});

describe("patch_manager.py check", () => {
  it("says what apply would do and writes nothing", () => {
    const root = treeOnDisk({ f: "a\n" });

    const good = runPatchManager(["check", "--root", root, "--base-is-head"], appendX());
    const bad = runPatchManager(["check", "--root", root], appendX());

    expect(good).toMatchObject({ status: 0, json: { kind: "applied", files: [{ path: "f" }] } });
    expect(bad).toMatchObject({ status: 1, json: { faults: [{ index: 0, code: "unguarded" }] } });
    expect(contentOf(path.dirname(root))).toEqual({ "tree/f": "a\n" });
  });
});

describe("patch_manager.py without --json", () => {
  const run = (root: string, set: unknown) =>
    spawnSync("python3", ["-B", patchManagerPath, "apply", "--root", root, "--base-is-head"], {
      input: JSON.stringify(set),
      encoding: "utf8",
    });

  it("tells a person what it did", () => {
    const root = treeOnDisk({ f: "a\n" });

    expect(run(root, appendX()).stdout).toBe('applied, 1 file changed\n  100644 "f"\n');
    expect(run(root, setOf([replaceLine(9, "x")])).stdout).toBe(
      'refused for 1 fault, nothing changed\n  "f" patch 0: out_of_range: end is 9, the file has 2 lines\n',
    );
  });

  it("quotes paths, so that none can steer a terminal", () => {
    const { stdout } = run(treeOnDisk({}), appendX("\u001b[2J"));

    expect(stdout).toContain('"\\u001b[2J": bad_path');
  });
});

describe("patch_manager.py as a module", () => {
  it("computes an outcome in memory", () => {
    const script = [
      "import json, sys",
      "sys.path.insert(0, sys.argv[1])",
      "sys.dont_write_bytecode = True",
      "import patch_manager as p",
      "tree = p.MemoryTree({'f': p.TreeFile(b'a\\n', '100644')})",
      "outcome = p.apply_patch_input(json.load(sys.stdin), tree, p.policy_of(base_is_head=True))",
      "print(outcome['files']['f'].bytes.decode(), end='')",
    ].join("\n");

    const run = spawnSync("python3", ["-c", script, path.dirname(patchManagerPath)], {
      input: JSON.stringify(appendX()),
      encoding: "utf8",
    });

    expect(run.stdout).toBe("a\nx\n");
  });

  it("is written for Python 3.9, with nothing but the standard library", () => {
    const script = [
      "import ast, pathlib, sys",
      "folder = pathlib.Path(sys.argv[1])",
      "standard = getattr(sys, 'stdlib_module_names', None)",
      "for file in [folder / 'patch_manager.py', *sorted((folder / 'aipatch').glob('*.py'))]:",
      "    tree = ast.parse(file.read_text(), feature_version=(3, 9))",
      "    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]",
      "    for node in imports:",
      "        if isinstance(node, ast.ImportFrom):",
      "            names = ['aipatch'] if node.level > 0 else [node.module]",
      "        else:",
      "            names = [alias.name for alias in node.names]",
      "        tops = {name.split('.')[0] for name in names}",
      "        foreign = tops - {'aipatch', '__future__'} - (standard or tops)",
      "        if foreign:",
      "            print(file.name, *foreign)",
      "    print('read')",
    ].join("\n");

    const run = spawnSync("python3", ["-c", script, path.dirname(patchManagerPath)], {
      encoding: "utf8",
    });

    expect(run.stderr).toBe("");
    const said = run.stdout.trim().split("\n");
    expect(said.filter((line) => line !== "read")).toEqual([]);
    expect(said.length).toBeGreaterThan(20);
  });
});
