import { describe, expect, it } from "vitest";
import { protectedDirectories, protectedFiles } from "../../shared/patch/protectedPaths.ts";
import { codesInMemory, playHostileDiffs, playHostileSets } from "./hostileRuns.ts";
import { patchOf, setOf } from "./patchSets.ts";

describe("hostile sets", () => {
  it("are all refused for a reason by both engines, and nothing in or beside the root changes", async () => {
    const runs = await playHostileSets();

    expect(runs.length).toBeGreaterThan(700);
    expect(runs.filter(({ fault, code }) => fault !== null || code === "")).toEqual([]);
  });
});

describe("hostile diffs", () => {
  it("are all refused, by the reader or as the set that they become", async () => {
    const runs = await playHostileDiffs();

    expect(runs.length).toBeGreaterThan(1_000);
    expect(runs.filter(({ refusedBy }) => refusedBy === "engines").length).toBeGreaterThan(500);
    expect(runs.filter(({ fault, code }) => fault !== null || code === "")).toEqual([]);
  });
});

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
        const codes = await codesInMemory(set);
        expect(codes, name).toContain("protected_path");
        checked++;
      }
    }

    expect(checked).toBeGreaterThan(1_000);
  });
});
