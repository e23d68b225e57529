import { describe, expect, it } from "vitest";
import { approvalReasonsOf, refusalsOf } from "../../orchestrator/worker/domain/patchPolicy.ts";
import type { PatchFile, PatchSet } from "../../shared/contracts/aiPatch.ts";
import type { PatchPolicySettings } from "../../shared/contracts/patchPolicy.ts";
import type { FileChange } from "../../shared/contracts/runner.ts";

const setOf = (
  files: Record<string, PatchFile>,
  ...blocks: [file: string, start: number, end: number, block: string][]
): PatchSet => ({
  schema: "aipatch/1",
  id: "ps_1",
  task_id: "task_1",
  mode: "exact",
  coordinates: "snapshot",
  base: {},
  files,
  patches: blocks.map(([file, start, end, block]) => ({
    task_id: "task_1",
    file,
    operation: "replace-block",
    start,
    end,
    block,
    metadata: { provider: "gemini" },
  })),
});
const reasons = (
  set: PatchSet,
  patchPolicy: PatchPolicySettings = {},
  changes: FileChange[] | null = null,
) =>
  approvalReasonsOf(set, { validation: [], patchPolicy }, changes).map(
    ({ code, file }) => `${code} ${file}`,
  );
const lines = (count: number) => "x\n".repeat(count);

describe("who needs a person's approval", () => {
  it("is nobody for a small change of plain files", () => {
    expect(reasons(setOf({}, ["src/a.ts", 1, 1, "x\n"]))).toEqual([]);
    expect(approvalReasonsOf(setOf({}, ["a", 1, 1, "x\n"]), { validation: [] }, null)).toEqual([]);
  });

  it("is a protected path at either end of a rename, by an entry or by a patch alone", () => {
    const hash = { sha256: "0".repeat(64) };
    expect(
      reasons(setOf({ "ci.yml": { op: "rename", from: ".github/ci.yml", pre: hash } })),
    ).toEqual(["protected_path .github/ci.yml"]);
    expect(reasons(setOf({ "ci.yml": { op: "copy", from: ".github/ci.yml", pre: hash } }))).toEqual(
      [],
    );
    expect(reasons(setOf({ "YARN.LOCK": { op: "delete", pre: hash } }))).toEqual([
      "protected_path YARN.LOCK",
    ]);
    expect(reasons(setOf({}, ["a/CODEOWNERS", 1, 1, "x\n"]))).toEqual([
      "protected_path a/CODEOWNERS",
    ]);
  });

  it("is a path that the project protects, in any case", () => {
    const protectedPaths = ["infra", "**/*.TF"];
    expect(reasons(setOf({}, ["INFRA/a", 1, 1, "x\n"]), { protectedPaths })).toHaveLength(1);
    expect(reasons(setOf({}, ["src/main.tf", 1, 1, "x\n"]), { protectedPaths })).toHaveLength(1);
    expect(reasons(setOf({}, ["src/infra.ts", 1, 1, "x\n"]), { protectedPaths })).toEqual([]);
  });

  it.each([
    ["files", setOf({ a: { op: "create" }, b: { op: "create" } }), { files: 1 }],
    ["bytes", setOf({}, ["a", 1, 1, "123456\n"]), { bytes: 6 }],
    ["lines added", setOf({}, ["a", 1, 1, lines(9)]), { changedLines: 9 }],
    ["lines removed", setOf({}, ["a", 1, 9, "x\n"]), { changedLines: 9 }],
    ["files by default", setOf(many(201)), undefined],
    ["bytes by default", setOf({}, ["a", 1, 1, "x".repeat(1_048_577)]), undefined],
    ["lines by default", setOf({}, ["a", 1, 1, lines(10_000)]), undefined],
  ])("is a set above its limit of %s", (_, set, approvalAbove) => {
    const policy = approvalAbove === undefined ? {} : { approvalAbove };
    expect(reasons(set, policy)).toEqual(["too_large null"]);
    const wider = Object.fromEntries(
      Object.entries(approvalAbove ?? {}).map(([name, limit]) => [name, limit + 1]),
    );
    if (approvalAbove !== undefined) expect(reasons(set, { approvalAbove: wider })).toEqual([]);
  });

  it("counts lines as git does where the runner tells: a deleted file's too", () => {
    const set = setOf({ a: { op: "delete", pre: { sha256: "0".repeat(64) } } });
    const changes = [{ path: "a", linesBefore: 10_001, added: 0, removed: 10_001 }];
    expect(reasons(set)).toEqual([]);
    expect(reasons(set, {}, changes)).toEqual(["too_large null"]);
  });

  it("is a file of which too large a share goes away, above the floor", () => {
    const set = setOf({}, ["a", 1, 1, "x\n"]);
    const half = { approvalAbove: { changedShare: 0.5 } };
    const change = (linesBefore: number, removed: number) => [
      { path: "a", linesBefore, added: 1, removed },
    ];
    expect(reasons(set, half, change(400, 200))).toEqual([]);
    expect(reasons(set, half, change(400, 201))).toEqual(["large_share a"]);
    expect(reasons(set, half, change(100, 100))).toEqual([]);
    const noFloor = { approvalAbove: { changedShare: 0.5, changedShareFloor: 0 } };
    expect(reasons(set, noFloor, change(4, 3))).toEqual(["large_share a"]);
    expect(reasons(set, {}, change(400, 400))).toEqual([]);
    // Nobody knows: a person looks.
    expect(reasons(set, half, null)).toEqual(["large_share null"]);
  });

  it("is new binary content, unless the project allows it", () => {
    const set = setOf({ "a.png": { op: "create", content: { base64: btoa("\0") } } });
    expect(reasons(set)).toEqual(["binary_file a.png"]);
    expect(reasons(set, { binary: "allowed" })).toEqual([]);
    const text = setOf({ "a.txt": { op: "create", content: { base64: btoa("text") } } });
    expect(reasons(text)).toEqual([]);
  });
});

describe("what a set is refused for", () => {
  const faults = (set: PatchSet, patchPolicy: PatchPolicySettings, taskPaths: string[] | null) =>
    refusalsOf(set, { validation: [], patchPolicy, allowedPaths: ["src"] }, taskPaths).map(
      ({ code, file }) => `${code} ${file}`,
    );

  it("is told all at once, each fault once, and no protected path among it", () => {
    const set = setOf(
      {
        "../a": { op: "create" },
        "docs/b": { op: "create", content: { base64: btoa("\0") } },
        "src/link": { op: "create", mode: "120000", content: { text: "b" } },
        "src/.npmrc": { op: "create" },
      },
      ["src/c", 2, 1, "x\n"],
    );

    expect(faults(set, { binary: "refused" }, null)).toEqual([
      "bad_path ../a",
      "path_not_allowed docs/b",
      "binary_file docs/b",
      "path_not_allowed src/link",
      "out_of_range src/c",
    ]);
  });

  it("is a path that its task or its project does not allow", () => {
    expect(faults(setOf({}, ["src/a", 1, 1, "x\n"]), {}, ["src/b"])).toEqual([
      "path_not_allowed src/a",
    ]);
    expect(faults(setOf({}, ["lib/a", 1, 1, "x\n"]), {}, ["lib"])).toEqual([
      "path_not_allowed lib/a",
    ]);
    expect(faults(setOf({}, ["src/a", 1, 1, "x\n"]), {}, ["src"])).toEqual([]);
  });
});

function many(count: number): Record<string, PatchFile> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`f${at}`, { op: "create" as const }]),
  );
}
