import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { patchOf, setOf } from "./patchSets.ts";
import { applyOnDisk, contentOf, runPatchManager, treeOnDisk } from "./workspace.ts";

const appendX = (file = "f") => setOf([patchOf("append", "x", {}, file)]);

describe("patch_manager.py and the limits of its root", () => {
  it.each([
    "../beside",
    "/etc/passwd",
    "a/../../beside",
    ".git/hooks/pre-commit",
    "sub/.GIT/config",
  ])("refuses to write %s", (file) => {
    const root = treeOnDisk({ f: "a\n" });

    const result = applyOnDisk(root, setOf([], { files: { [file]: { op: "create" } } }));

    expect(result).toMatchObject({ status: 1, json: { faults: [{ code: "bad_path" }] } });
    expect(contentOf(path.dirname(root))).toEqual({ "tree/f": "a\n" });
  });

  it("neither reads nor writes through a symlink, be it a file, a directory or the last of a chain", () => {
    const root = treeOnDisk({
      file: { link: "../secret" },
      directory: { link: ".." },
      inner: { link: "directory" },
    });
    writeFileSync(path.join(root, "../secret"), "secret\n");
    const cases = ["file", "directory/secret", "inner/secret", "directory/tree/new"];

    for (const file of cases) {
      const edit = applyOnDisk(root, appendX(file), "--base-is-head");
      const create = applyOnDisk(root, setOf([], { files: { [file]: { op: "create" } } }));
      const copy = applyOnDisk(
        root,
        setOf([], { files: { n: { op: "copy", from: file } } }),
        "--base-is-head",
      );
      expect(edit).toMatchObject({ status: 1, json: { faults: [{ code: "path_not_allowed" }] } });
      expect(create.status).toBe(1);
      expect(copy).toMatchObject({ status: 1, json: { faults: [{ code: "path_not_allowed" }] } });
    }
    expect(contentOf(path.dirname(root))).toMatchObject({
      secret: "secret\n",
      "tree/file": "-> ../secret",
    });
  });

  it("does not wait at a pipe", () => {
    const root = treeOnDisk({});
    spawnSync("mkfifo", [path.join(root, "pipe")]);

    const result = applyOnDisk(root, appendX("pipe"), "--base-is-head");

    expect(result).toMatchObject({ status: 1, json: { faults: [{ code: "path_not_allowed" }] } });
  });

  it("follows the symlink that its caller names as the root", () => {
    const root = treeOnDisk({ f: "a\n" });
    const link = path.join(root, "../link");
    symlinkSync(root, link);

    expect(applyOnDisk(link, appendX(), "--base-is-head").status).toBe(0);
    expect(contentOf(root)).toEqual({ f: "a\nx\n" });
  });

  it("needs approval for a protected path, and keeps to the allowed ones", () => {
    const root = treeOnDisk({ ".npmrc": "a\n", f: "a\n" });

    expect(applyOnDisk(root, appendX(".npmrc"), "--base-is-head").status).toBe(1);
    expect(applyOnDisk(root, appendX(".npmrc"), "--base-is-head", "--allow-protected").status).toBe(
      0,
    );
    expect(applyOnDisk(root, appendX(), "--base-is-head", "--allowed-path", "g").status).toBe(1);
    expect(
      applyOnDisk(root, appendX(), "--base-is-head", "--allowed-path", "g", "--allowed-path", "f")
        .status,
    ).toBe(0);
    expect(applyOnDisk(root, appendX(), "--base-is-head", "--max-patch-bytes", "0").status).toBe(1);
  });
});

describe("patch_manager.py and what it cannot work with", () => {
  it.each([
    ["text that is no JSON", "{"],
    ["nothing", ""],
    ["a number that JSON does not have", "[NaN]"],
    ["a byte order mark", "\ufeff{}"],
    ["depth without end", "[".repeat(100_000)],
  ])("takes %s for unreadable input", (_, set) => {
    const result = runPatchManager(["apply", "--root", treeOnDisk({})], set);

    expect(result).toMatchObject({ status: 2, json: { kind: "unreadable" } });
    expect(result.stderr).toBe("");
  });

  it("takes a root or a file that is not there for unreadable input", () => {
    const root = treeOnDisk({ f: "a\n" });

    expect(runPatchManager(["apply", "--root", path.join(root, "f")], appendX()).status).toBe(2);
    expect(runPatchManager(["apply", "--root", path.join(root, "no")], appendX()).status).toBe(2);
    expect(runPatchManager(["apply", "--root", root, path.join(root, "no")]).status).toBe(2);
  });

  it("answers wrong usage in JSON too", () => {
    for (const usage of [["apply"], ["unknown"], [], ["apply", "--root", ".", "--surprise"]])
      expect(runPatchManager(usage)).toMatchObject({ status: 2, json: { kind: "unreadable" } });
  });

  it("waits for no other run on the same root", async () => {
    const root = treeOnDisk({ f: "a\n" });
    const hold =
      "import fcntl, os, sys; fd = os.open(sys.argv[1], 0); fcntl.flock(fd, 2); print(1, flush=True); sys.stdin.read()";
    const other = spawn("python3", ["-c", hold, root]);
    await new Promise((resolve) => other.stdout.once("data", resolve));

    const result = applyOnDisk(root, appendX(), "--base-is-head");
    other.stdin.end();

    expect(result).toMatchObject({ status: 3, json: { kind: "failed", restored: true } });
    expect(contentOf(root)).toEqual({ f: "a\n" });
  });

  it("does not trust a journal that others can write", () => {
    const root = treeOnDisk({ f: "a\n" });
    const journal = path.join(root, "../.tree.aipatch-journal");
    mkdirSync(journal);
    chmodSync(journal, 0o777);

    const result = applyOnDisk(root, appendX(), "--base-is-head");

    expect(result).toMatchObject({ status: 3, json: { kind: "failed" } });
    expect(contentOf(root)).toEqual({ f: "a\n" });
  });

  it("does not follow a journal out of the root", () => {
    const root = treeOnDisk({ f: "a\n" });
    const journal = path.join(root, "../.tree.aipatch-journal");
    mkdirSync(journal, { mode: 0o700 });
    const steps = [{ path: "../beside", old: null, new: "new-0" }];
    const plan = { format: "aipatch-journal/1", steps, made: [], emptied: {} };
    writeFileSync(path.join(journal, "plan.json"), JSON.stringify(plan));
    writeFileSync(path.join(journal, "new-0"), "x");

    const result = runPatchManager(["recover", "--root", root]);

    expect(result).toMatchObject({ status: 3, json: { kind: "failed", restored: false } });
    expect(contentOf(root)).toEqual({ f: "a\n" });
  });
});
