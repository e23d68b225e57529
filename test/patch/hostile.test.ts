import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { applyPatchInput, type TreeFile } from "../../shared/patch/apply.ts";
import { patchSetFromDiff } from "../../shared/patch/diff/patchSetFromDiff.ts";
import { pathFault } from "../../shared/patch/paths.ts";
import { protectedDirectories, protectedFiles } from "../../shared/patch/protectedPaths.ts";
import { hostileDiffs, hostilePaths, hostileSets, hostileTree } from "./hostileSets.ts";
import { ofHead, patchOf, setOf } from "./patchSets.ts";
import { patchManagerPath, treeOnDisk } from "./workspace.ts";

type Outcome = { kind: string; codes: string[]; is_untouched: boolean };

/** The tree as the TypeScript engine reads it: symlinks are files of a kind, and nothing lies below them. */
const inMemory = new Map<string, TreeFile>(
  Object.entries(hostileTree).map(([name, content]) =>
    typeof content === "string"
      ? [name, { bytes: Buffer.from(content), mode: "100644" as const }]
      : [name, { bytes: Buffer.from(content.link), mode: "120000" as const }],
  ),
);
const readFile = (name: string) => inMemory.get(name);

async function codesOf(set: unknown): Promise<string[] | null> {
  const outcome = await applyPatchInput(set, readFile, ofHead);
  return outcome.kind === "refused" ? outcome.faults.map(({ code }) => code) : null;
}

function outcomesOnDisk(sets: readonly unknown[]): Outcome[] {
  const area = path.dirname(treeOnDisk(hostileTree));
  mkdirSync(path.join(area, "outside"));
  writeFileSync(path.join(area, "outside/secret"), "a\nb\n");
  const script = fileURLToPath(new URL("./hostileSets.py", import.meta.url));
  const run = spawnSync("python3", [script, patchManagerPath, area], {
    input: JSON.stringify(sets),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  expect(run.stderr).toBe("");
  return JSON.parse(run.stdout) as Outcome[];
}

describe("hostile sets", () => {
  const sets = hostileSets();

  it("are all refused for a reason by both engines, and nothing in or beside the root changes", async () => {
    const outcomes = outcomesOnDisk(sets.map(({ set }) => set));

    expect(outcomes.length).toBeGreaterThan(700);
    for (const [at, { name, set }] of sets.entries()) {
      expect(outcomes[at], name).toMatchObject({ kind: "refused", is_untouched: true });
      // That a directory is in the way only the disk knows.
      if (!name.endsWith(' "d"')) expect(await codesOf(set), name).toEqual(outcomes[at]?.codes);
    }
  });
});

describe("hostile diffs", () => {
  it("are all refused, by the reader or as the set that they become", async () => {
    const diffs = hostileDiffs();
    const sets = (await Promise.all(diffs.map(converted))).flat();

    const outcomes = outcomesOnDisk(sets.map(({ set }) => set));

    expect(diffs.length).toBeGreaterThan(1_000);
    expect(sets.length).toBeGreaterThan(500);
    for (const [at, { name, set }] of sets.entries()) {
      expect(outcomes[at], name).toMatchObject({ kind: "refused", is_untouched: true });
      if (!name.endsWith(' "d"')) expect(await codesOf(set), name).not.toBeNull();
    }
  });
});

/** The set of a diff, unless the reader refuses it or no name in it is hostile any more. */
async function converted({ name, diff }: { name: string; diff: Uint8Array }) {
  const naming = { id: "s", taskId: "t", provider: "p", base: {} };
  const outcome = await patchSetFromDiff(diff, naming, readFile);
  if (outcome.kind === "converted")
    return namesHarmless(outcome.set) ? [] : [{ name, set: outcome.set }];
  expect(outcome.faults.length, name).toBeGreaterThan(0);
  return [];
}

/** A name can read as another one, as git reads it: `f` where it is cut at a tab, `etc/x` where slashes are joined. */
function namesHarmless({ files }: PatchSet): boolean {
  const names = Object.entries(files).flatMap(([name, { from }]) => [name, from ?? name]);
  return names.every((name) => !hostilePaths.includes(name) && pathFault(name) === null);
}

/** Those that the format promises by name, and all that the engine knows. */
const protectedNames = [
  ...[".github/workflows/x.yml", ".gitmodules", ".gitattributes", ".husky/pre-commit", ".npmrc"],
  ...[".envrc", ".mcp.json", ".claude/settings.json", "package-lock.json", "wrangler.jsonc"],
  ...["CODEOWNERS", "AGENTS.md", ".gitlab-ci.yml", ".vscode/tasks.json", "yarn.lock"],
  ...protectedFiles,
  ...protectedDirectories.map((directory) => `${directory}/x`),
];

describe("protected paths", () => {
  const places = (name: string) => [name, `deep/below/${name}`, name.toUpperCase(), `${name}.`];

  it("pass in no case and at no depth without approval, and with it unless they are refused anyway", async () => {
    let checked = 0;
    for (const name of protectedNames.flatMap(places)) {
      const create = setOf([], { files: { [name]: { op: "create", content: { text: "x" } } } });
      const patched = setOf([patchOf("append", "x", {}, name)]);
      const renamed = setOf([], { files: { [name]: { op: "rename", from: "f" } } });
      for (const set of [create, patched, renamed]) {
        const codes = await codesOf(set);
        expect(codes, name).toContain("protected_path");
        checked++;
      }
    }

    expect(checked).toBeGreaterThan(1_000);
  });
});
