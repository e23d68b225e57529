import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parsePatch } from "diff";
import { SwitchyardError } from "../../shared/errors.ts";
import { parseGitDiff } from "../../shared/patch/diff/parseGitDiff.ts";

/** How a folder of patches is read by git and by us. `npmDiff` counts those that git reads and npm `diff` reads alike. */
export type Reading = { both: number; neither: number; differ: string[]; npmDiff: number };

/** Git's own count of added and removed lines by file, and ours, must be the same, or both must refuse. */
export function compareReading(folder: string): Reading {
  const reading: Reading = { both: 0, neither: 0, differ: [], npmDiff: 0 };
  for (const name of readdirSync(folder).sort()) {
    const bytes = readFileSync(path.join(folder, name));
    const git = numstatOf(bytes);
    const ours = ourNumstat(bytes);
    if (git === null && ours === null) reading.neither++;
    else if (git === ours) reading.both++;
    else reading.differ.push(name);
    if (git !== null && npmCounts(bytes) === countsOf(git)) reading.npmDiff++;
  }
  return reading;
}

function numstatOf(bytes: Uint8Array): string | null {
  const run = spawnSync("git", ["apply", "--numstat", "-z"], { input: bytes, cwd: tmpdir() });
  return run.status === 0 && run.stdout.length > 0 ? run.stdout.toString("latin1") : null;
}

function ourNumstat(bytes: Uint8Array): string | null {
  try {
    const files = parseGitDiff(bytes).map(
      ({ binary, addedLines, removedLines, newPath, oldPath }) => {
        const counts = binary === null ? `${addedLines}\t${removedLines}` : "-\t-";
        return `${counts}\t${Buffer.from(newPath ?? oldPath ?? "").toString("latin1")}\0`;
      },
    );
    return files.length > 0 ? files.join("") : null;
  } catch (error) {
    if (error instanceof SwitchyardError) return null;
    throw error;
  }
}

/** Names aside, since npm `diff` keeps prefixes. */
function countsOf(numstat: string): string {
  const rows = numstat.split("\0").filter((row) => row !== "");
  return rows.map((row) => row.split("\t").slice(0, 2).join(" ")).join("\n");
}

function npmCounts(bytes: Uint8Array): string | null {
  try {
    const count = (lines: readonly string[], sign: string) =>
      lines.filter((line) => line.startsWith(sign)).length;
    const rows = parsePatch(Buffer.from(bytes).toString("utf8")).map(({ hunks }) => {
      const lines = hunks.flatMap((hunk) => hunk.lines);
      return `${count(lines, "+")} ${count(lines, "-")}`;
    });
    return rows.join("\n");
  } catch {
    return null;
  }
}
