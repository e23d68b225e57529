import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const patchManagerPath = fileURLToPath(
  new URL("../../apps/patch-manager/patch_manager.py", import.meta.url),
);

/** A directory that goes away with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "aipatch-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export type DiskFile = string | Uint8Array | { text: string; mode: number } | { link: string };

/** A tree on disk, in a directory of its own, so that what lies beside it can be looked at too. */
export function treeOnDisk(files: Record<string, DiskFile>): string {
  const root = path.join(temporaryDirectory(), "tree");
  mkdirSync(root);
  for (const [name, file] of Object.entries(files)) {
    const place = path.join(root, name);
    mkdirSync(path.dirname(place), { recursive: true });
    if (typeof file === "string" || file instanceof Uint8Array) writeFileSync(place, file);
    else if ("link" in file) symlinkSync(file.link, place);
    else {
      writeFileSync(place, file.text);
      chmodSync(place, file.mode);
    }
  }
  return root;
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
