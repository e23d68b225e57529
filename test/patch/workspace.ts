import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { type DiskFile, patchManagerPath, putTree } from "./diskTree.ts";

/** A directory that goes away with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "aipatch-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A tree on disk, in a directory of its own, so that what lies beside it can be looked at too. */
export function treeOnDisk(files: Record<string, DiskFile>): string {
  return putTree(path.join(temporaryDirectory(), "tree"), files);
}

/** All that is below a directory: files as Latin-1 text, symlinks as their target, empty directories. */
export function contentOf(root: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const place = path.join(root, entry.name);
    const name = prefix + entry.name;
    if (entry.isSymbolicLink()) found[name] = `-> ${readlinkSync(place)}`;
    else if (entry.isFile()) found[name] = readFileSync(place, "latin1");
    else if (readdirSync(place).length === 0) found[name] = "(empty directory)";
    else Object.assign(found, contentOf(place, `${name}/`));
  }
  return found;
}

export type CommandResult = {
  status: number | null;
  stdout: string;
  stderr: string;
  json: unknown;
};

/** Runs the Patch Manager with `--json`, the set on standard input. */
export function runPatchManager(arguments_: readonly string[], set?: unknown): CommandResult {
  const input = typeof set === "string" ? set : set === undefined ? "" : JSON.stringify(set);
  const run = spawnSync("python3", ["-B", patchManagerPath, ...arguments_, "--json"], {
    input,
    encoding: "utf8",
  });
  const { status, stdout, stderr } = run;
  return { status, stdout, stderr, json: stdout === "" ? null : JSON.parse(stdout) };
}

export function applyOnDisk(root: string, set: unknown, ...options: string[]): CommandResult {
  return runPatchManager(["apply", "--root", root, ...options], set);
}
