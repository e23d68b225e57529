import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { patchManagerPath } from "./diskTree.ts";
import { sha256 } from "./hashes.ts";
import { patchOf, setOf } from "./patchSets.ts";
import { temporaryDirectory, treeOnDisk } from "./workspace.ts";

type Row = {
  status: number | null;
  answer: { kind: string; restored?: boolean } | null;
  left: "old" | "new" | "mixed";
  recovery: { kind: string; recovered: string };
  recovered: "old" | "new" | "mixed";
  journal_after: boolean;
  taken_back: boolean;
};
type Matrix = { differ: boolean; calls: number; rows: Row[] };

const pre = (text: string) => ({ pre: { sha256: sha256(Buffer.from(text)) } });
const created = { op: "create" as const, content: { text: "new\n" } };
const deleted = (text: string) => ({ op: "delete" as const, ...pre(text) });

/** Every kind of step: edit, mode, delete with its directory, rename, and files and directories that change places. */
const set = setOf([patchOf("append", "c", {}, "edited")], {
  files: {
    edited: { op: "edit", ...pre("a\nb\n") },
    tool: { op: "edit", mode: "100755", ...pre("tool\n") },
    "gone/deep/file": deleted("gone\n"),
    place: deleted("place\n"),
    "place/inner": created,
    "folder/file": deleted("folder\n"),
    folder: created,
    "new/moved": { op: "rename", from: "moved", ...pre("moved\n") },
    "new/deep/file": created,
  },
});

function matrixOf(command: string, kind: string): Matrix {
  const template = treeOnDisk({
    edited: { text: "a\nb\n", mode: 0o640 },
    tool: "tool\n",
    "gone/deep/file": "gone\n",
    place: "place\n",
    "folder/file": "folder\n",
    moved: { text: "moved\n", mode: 0o600 },
    "untouched/file": "untouched\n",
  });
  chmodSync(path.join(template, "gone/deep"), 0o700);
  const work = temporaryDirectory();
  const setFile = path.join(work, "set.json");
  writeFileSync(setFile, JSON.stringify(set));
  mkdirSync(path.join(work, "work"));
  const script = fileURLToPath(new URL("./crashMatrix.py", import.meta.url));
  const run = spawnSync(
    "python3",
    [script, patchManagerPath, template, setFile, path.join(work, "work"), command, kind],
    { encoding: "utf8", maxBuffer: 1 << 26 },
  );
  expect(run.stderr).toBe("");
  return JSON.parse(run.stdout) as Matrix;
}

function rowsOf(command: string, kind: string): Row[] {
  const { differ, rows } = matrixOf(command, kind);
  expect(differ).toBe(true);
  return rows;
}

describe.each(["apply", "revert"])("%s of several files in a directory", (command) => {
  it("is there whole or not at all after a kill at any change to the disk, and can be taken back", () => {
    const rows = rowsOf(command, "kill");

    expect(rows.length).toBeGreaterThan(50);
    expect(rows.some(({ left }) => left === "mixed")).toBe(true);
    for (const row of rows) {
      expect(row.recovered).not.toBe("mixed");
      if (row.left !== "old") expect(row.recovered).toBe("new");
      expect(row.journal_after).toBe(false);
      expect(row.taken_back).toBe(true);
    }
  });

  it("leaves the old tree when any change to the disk fails, and says so", () => {
    const rows = rowsOf(command, "fail");

    for (const row of rows) {
      const isDone = row.status === 0;
      expect(row.left).toBe(isDone ? "new" : "old");
      if (!isDone) expect(row).toMatchObject({ status: 3, answer: { restored: true } });
      expect(row.recovered).toBe(row.left);
    }
    expect(rows.filter(({ status }) => status === 3).length).toBeGreaterThan(50);
  });
});

describe("a disk that does not recover, or a second interruption", () => {
  it("makes the script say that the tree is not restored, and the next run mends it", () => {
    const rows = rowsOf("apply", "die");

    for (const row of rows) {
      if (row.answer?.kind === "failed" && row.left !== "old")
        expect(row.answer.restored).toBe(false);
      if (row.answer?.restored === true) expect(row.recovered).toBe("old");
      expect(row.recovered).not.toBe("mixed");
      expect(row.journal_after).toBe(false);
    }
    expect(rows.some(({ answer }) => answer?.restored === false)).toBe(true);
  });

  it("leaves all or nothing after a kill while a failure is taken back", () => {
    const rows = rowsOf("apply", "undo");

    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) expect(row.recovered).not.toBe("mixed");
    expect(rows.some(({ recovery }) => recovery.recovered === "undone")).toBe(true);
  });

  it("leaves all after a second kill while the first is recovered from", () => {
    const rows = rowsOf("apply", "recover");

    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) expect(row.recovered).toBe("new");
  });
});

describe("check", () => {
  it("makes no change to the disk that could be interrupted", () => {
    expect(matrixOf("check", "kill")).toMatchObject({ differ: false, calls: 0 });
  });
});
