import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runPython, runTypeScript } from "../../scripts/vectors/engines.ts";
import { parseVectors } from "../../scripts/vectors/vectorFile.ts";
import { isAllowedPath } from "../../shared/patch/allowedPaths.ts";
import { isPathCodePoint } from "../../shared/patch/pathCodePoints.ts";
import { isProtectedPath, pathFault, pathKey } from "../../shared/patch/paths.ts";
import { setOf } from "./patchSets.ts";
import { randomPath } from "./pathArbitraries.ts";

/** Parts of names that paths hide behind, and any code point at all. */
function vectorOf(paths: readonly string[]) {
  const files = Object.fromEntries(paths.map((path) => [path, { op: "create" }]));
  return { name: paths.join(" "), files: {}, set: { ...setOf([]), files }, after: {} };
}

async function outcomesOfBoth(vectors: readonly object[]) {
  const text = JSON.stringify({ vectors });
  const typescript = await Promise.all(parseVectors(text, "paths").map(runTypeScript));
  return { typescript, python: runPython({ text }) };
}

describe("a path", () => {
  it("is judged alike by both engines, whatever it holds", async () => {
    const sample = fc.sample(fc.uniqueArray(randomPath, { minLength: 1, maxLength: 3 }), {
      seed: 7,
      numRuns: 3_000,
    });
    const named = sample.map((paths) => ({ ...vectorOf(paths), name: "paths" }));

    const { typescript, python } = await outcomesOfBoth(named);

    for (const [at, outcome] of typescript.entries())
      expect(python[at], JSON.stringify(sample[at])).toEqual(outcome);
  });

  it("is judged alike for the code points on either side of every range", async () => {
    const codePoints = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint);
    const edges = codePoints.filter((one) => isPathCodePoint(one) !== isPathCodePoint(one - 1));
    const tried = edges.flatMap((edge) => [edge - 1, edge]).map((one) => String.fromCodePoint(one));

    const { typescript, python } = await outcomesOfBoth([{ ...vectorOf(tried), name: "edges" }]);

    expect(edges.length).toBeGreaterThan(1_000);
    expect(python).toEqual(typescript);
  });

  it("is refused for a reason that a person can read", () => {
    expect(pathFault("a/../b")).toBe("has a dot segment");
    expect(pathFault("src/index.ts")).toBeNull();
  });
});

describe("the key of a path", () => {
  it("is the same for names that some file system takes for one", () => {
    const pairs = [
      ["a", "A"],
      ["straße", "STRASSE"],
      ["ﬁ", "FI"],
      ["Σ", "ς"],
      ["K", "K"],
      ["Å", "Å"],
    ];

    for (const [one, other] of pairs) expect(pathKey(one ?? "")).toBe(pathKey(other ?? ""));
  });
});

describe("a protected path", () => {
  it.each([".github/workflows/ci.yml", "a/.NPMRC", "CODEOWNERS", ".mcp.json", "GITMOD~1"])(
    "%s needs approval",
    (path) => {
      expect(isProtectedPath(path)).toBe(true);
    },
  );

  it.each(["src/hooks/useTask.ts", "docs/github/x.md", "package.json", "lock.json", "a~b"])(
    "%s does not",
    (path) => {
      expect(isProtectedPath(path)).toBe(false);
    },
  );
});

describe("the paths that a task may change", () => {
  it.each([
    ["src/a.ts", ["src"], true],
    ["src/a.ts", ["src/"], true],
    ["src/a.ts", ["./src"], true],
    ["src/a.ts", ["src/**"], true],
    ["src/a/b.ts", ["src/*.ts"], false],
    ["src/a/b.ts", ["src/**/*.ts"], true],
    ["src/b.ts", ["src/**/*.ts"], true],
    ["srcs/b.ts", ["src"], false],
    ["any/thing", ["."], true],
    ["any/thing", [], false],
    ["any/thing", [""], false],
    ["SRC/a.ts", ["src"], false],
  ])("%s within %j is %s", (path, allowedPaths, isAllowed) => {
    expect(isAllowedPath(path, allowedPaths)).toBe(isAllowed);
  });

  it("are matched in bounded time", () => {
    const pattern = `${"*a".repeat(200)}b`;

    expect(isAllowedPath("a".repeat(4_000), [pattern])).toBe(false);
  });
});
