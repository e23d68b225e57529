import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { setOf } from "./patchSets.ts";
import { temporaryDirectory } from "./workspace.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function runVectors(...arguments_: string[]) {
  const run = spawnSync(
    process.execPath,
    ["--experimental-strip-types", "--no-warnings", "scripts/vectors.ts", ...arguments_],
    { cwd: root, encoding: "utf8" },
  );
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

function vectorFile(content: unknown): string {
  const file = path.join(temporaryDirectory(), "vectors.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const replaceFirst = [{ operation: "replace-block", start: 1, end: 1, block: "x" }];
const good = { name: "good", before: "a\n", patches: replaceFirst, after: "x\n" };

describe("scripts/vectors.ts", () => {
  it("tells what each engine did, and sums up", () => {
    const { status, stdout } = runVectors(vectorFile({ vectors: [good] }));

    expect(status).toBe(0);
    expect(stdout).toBe(
      'ok     "good"\n         typescript: applied "file.txt"\n         python:     applied "file.txt"\n1 vectors, 1 agree, 0 failed\n',
    );
  });

  it.each([
    ["other bytes", { ...good, after: "y\n" }],
    ["a fault that does not come", { ...good, after: undefined, error: "overlap" }],
    ["bytes where the set is refused", { ...good, before: "" }],
    [
      "no change where there is one",
      {
        name: "n",
        files: { f: { text: "a\n" } },
        set: setOf([], { files: { g: { op: "create" } } }),
        after: {},
      },
    ],
    ["another fault", { name: "n", files: {}, set: setOf([]), errors: [{ code: "stale" }] }],
  ])("fails a vector that expects %s", (_, vector) => {
    const { status, stdout } = runVectors(vectorFile({ vectors: [good, vector] }));

    expect(status).toBe(1);
    expect(stdout).toContain("FAILED");
    expect(stdout).toContain("2 vectors, 1 agree, 1 failed");
  });

  it("tells a machine in JSON", () => {
    const { status, stdout } = runVectors("--json", vectorFile({ vectors: [good] }));

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      summary: { files: 1, vectors: 1, failed: 0 },
      vectors: [
        {
          name: "good",
          problems: [],
          typescript: { kind: "applied" },
          python: { kind: "applied" },
        },
      ],
    });
  });

  it.each([
    ["that is not there", "/does/not/exist.json", "cannot be read"],
    ["that is no JSON", vectorFileLater("{"), "is not JSON"],
    ["without vectors", vectorFileLater({ vectors: [] }), "holds no vectors"],
    ["of another kind", vectorFileLater([]), "holds no vectors"],
    [
      "with a vector that says nothing",
      vectorFileLater({ vectors: [{ name: "n", before: "", patches: [] }] }),
      "does not say what is expected",
    ],
    [
      "with a malformed vector",
      vectorFileLater({ vectors: [{ name: "n", before: 7 }] }),
      "is malformed",
    ],
  ])("refuses a file %s", (_, file, message) => {
    const { status, stderr, stdout } = runVectors(typeof file === "string" ? file : file());

    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe("");
  });

  it("refuses to pass without a file", () => {
    expect(runVectors().status).toBe(2);
  });
});

function vectorFileLater(content: unknown): () => string {
  return () => vectorFile(content);
}
