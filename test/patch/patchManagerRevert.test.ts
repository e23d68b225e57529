import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const before = {
  edited: "a\nb\nc\n",
  gone: "gone\n",
  moved: "moved\n",
  binary: Uint8Array.of(0, 1, 2),
};
const set = setOf([replaceLine(2, "B", "edited"), patchOf("append", "more", {}, "new/moved")], {
  files: {
    gone: { op: "delete", pre: { sha256: sha256(Buffer.from("gone\n")) } },
    "new/moved": { op: "rename", from: "moved" },
    binary: { op: "replace", content: { base64: "AAEC/w==" }, mode: "100755" },
    "new/made": { op: "create", content: { text: "made\n" } },
  },
});

/** A tree to which the set is applied, and the undo file of that. */
function applied(): { root: string; undo: string } {
  const root = treeOnDisk(before);
  const undo = path.join(temporaryDirectory(), "undo.json");
  expect(applyOnDisk(root, set, "--base-is-head", "--undo", undo).status).toBe(0);
  return { root, undo };
}

const revert = (root: string, ...rest: string[]) =>
  runPatchManager(["revert", "--root", root, ...rest]);

describe("patch_manager.py revert", () => {
  it("takes back what apply did, by its undo file", () => {
    const { root, undo } = applied();
    expect(contentOf(root)).not.toEqual(contentOf(treeOnDisk(before)));

    const result = revert(root, undo);

    expect(result).toMatchObject({ status: 0, json: { kind: "reverted" } });
    expect(contentOf(root)).toEqual(contentOf(treeOnDisk(before)));
  });

  it("takes it back by the set itself and the files that it was made for", () => {
    const { root } = applied();
    const setFile = path.join(temporaryDirectory(), "set.json");
    writeFileSync(setFile, JSON.stringify(set));

    const result = revert(root, "--base", treeOnDisk(before), setFile);

    expect(result.status).toBe(0);
    expect(contentOf(root)).toEqual(contentOf(treeOnDisk(before)));
  });

  it("keeps what others changed since, and says what it merged or moved", () => {
    const { root, undo } = applied();
    writeFileSync(path.join(root, "edited"), "0\na\nB\nc\n");

    const result = revert(root, undo);

    expect(result.json).toMatchObject({
      kind: "reverted",
      shifts: [{ index: 0, file: "edited", lines: 1 }],
    });
    expect(contentOf(root)).toMatchObject({ edited: "0\na\nb\nc\n", gone: "gone\n" });
  });

  it("changes nothing when one file can no longer be taken back", () => {
    const { root, undo } = applied();
    writeFileSync(path.join(root, "edited"), "a\nanother\nc\n");
    const now = contentOf(root);

    const result = revert(root, undo);

    expect(result).toMatchObject({
      status: 1,
      json: { kind: "refused", faults: [{ index: 0, file: "edited", code: "stale" }] },
    });
    expect(contentOf(root)).toEqual(now);
  });

  it("says what it would do, and writes nothing, with --dry-run", () => {
    const { root, undo } = applied();
    const now = contentOf(root);

    const result = revert(root, "--dry-run", undo);

    expect(result).toMatchObject({ status: 0, json: { kind: "reverted" } });
    expect(contentOf(root)).toEqual(now);
  });

  it("can be taken back itself", () => {
    const { root, undo } = applied();
    const now = contentOf(root);
    const redo = path.join(temporaryDirectory(), "redo.json");

    expect(revert(root, "--undo", redo, undo).status).toBe(0);
    expect(revert(root, redo).status).toBe(0);

    expect(contentOf(root)).toEqual(now);
  });

  it("does not take a set for an undo file, nor apply an undo file", () => {
    const { root, undo } = applied();

    expect(runPatchManager(["revert", "--root", root], set)).toMatchObject({ status: 2 });
    expect(revert(root, "--base", root, undo)).toMatchObject({ status: 2 });
    expect(applyOnDisk(root, readFileSync(undo, "utf8"))).toMatchObject({ status: 2 });
  });
});

describe("an undo file", () => {
  it("is never overwritten, except by itself", () => {
    const { root, undo } = applied();
    const kept = readFileSync(undo, "utf8");

    const again = applyOnDisk(
      root,
      setOf([patchOf("append", "x", {}, "edited")]),
      "--base-is-head",
      "--undo",
      undo,
    );
    rmSync(root, { recursive: true });
    const same = treeOnDisk(before);
    const retried = applyOnDisk(same, set, "--base-is-head", "--undo", undo);

    expect(again).toMatchObject({ status: 2, json: { kind: "unreadable" } });
    expect(retried).toMatchObject({ status: 0, json: { kind: "applied" } });
    expect(readFileSync(undo, "utf8")).toBe(kept);
  });

  it("is not left behind by a set that is refused, nor by a check", () => {
    const root = treeOnDisk(before);
    const undo = path.join(temporaryDirectory(), "undo.json");

    expect(applyOnDisk(root, set, "--undo", undo).status).toBe(1);
    expect(applyOnDisk(root, set, "--base-is-head", "--undo", path.join(undo, "no"))).toMatchObject(
      {
        status: 3,
        json: { kind: "failed", restored: true },
      },
    );
    expect(existsSync(undo)).toBe(false);
    expect(contentOf(root)).toEqual(contentOf(treeOnDisk(before)));
  });
});

describe("patch_manager.py apply --base", () => {
  const patches = [{ ...replaceLine(3, "C"), expect: { block: "not there" } }];
  const made = setOf([replaceLine(3, "C")], {
    files: { f: { op: "edit", pre: { sha256: sha256(Buffer.from("a\nb\nc\n")) } } },
  });

  it("merges a file that changed since with what the set makes of its base", () => {
    const root = treeOnDisk({ f: "A\nb\nc\n" });
    const base = treeOnDisk({ f: "a\nb\nc\n" });

    const result = applyOnDisk(root, made, "--base", base);

    expect(result).toMatchObject({ status: 0, json: { kind: "applied", merged: ["f"] } });
    expect(contentOf(root)).toEqual({ f: "A\nb\nC\n" });
  });

  it("tells a conflict with its places and its marks, and changes nothing", () => {
    const root = treeOnDisk({ f: "0\na\nb\nx\n" });
    const base = treeOnDisk({ f: "a\nb\nc\n" });

    const result = applyOnDisk(root, made, "--base", base);

    expect(result).toMatchObject({
      status: 1,
      json: {
        faults: [{ index: null, file: "f", code: "conflict" }],
        conflicts: [
          {
            file: "f",
            hunks: [
              {
                base: { start: 3, lines: 1 },
                ours: { start: 4, lines: 1 },
                theirs: { start: 3, lines: 1 },
              },
            ],
            marked: {
              text: "0\na\nb\n<<<<<<< f\nx\n||||||| base\nc\n=======\nC\n>>>>>>> patch\n",
            },
          },
        ],
      },
    });
    expect(contentOf(root)).toEqual({ f: "0\na\nb\nx\n" });
  });

  it("is refused for what a set says wrongly of its own base", () => {
    const root = treeOnDisk({ f: "a\nchanged\n" });
    const base = treeOnDisk({ f: "a\nb\nc\n" });

    const result = applyOnDisk(root, setOf(patches), "--base", base);

    expect(result.json).toMatchObject({ faults: [{ index: 0, code: "stale" }] });
  });
});

describe("patch_manager.py --help", () => {
  it("tells a person the commands, examples and every exit status", () => {
    const { status, stdout } = spawnSync("python3", ["-B", patchManagerPath, "--help"], {
      encoding: "utf8",
    });

    expect(status).toBe(0);
    for (const command of ["apply", "check", "revert", "recover"])
      expect(stdout).toMatch(new RegExp(`^ {4}${command} +[A-Z]`, "m"));
    for (const exit of [0, 1, 2, 3]) expect(stdout).toMatch(new RegExp(`^ {2}${exit} `, "m"));
  });
});
