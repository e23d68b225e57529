import { describe, expect, it } from "vitest";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import type { PatchSetRecord } from "../../orchestrator/worker/domain/task.ts";
import { inverseOf } from "../../orchestrator/worker/services/patch-manager/inverseOf.ts";
import { runnerForge } from "../../orchestrator/worker/services/runners/http/runnerForge.ts";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { aTask } from "../builders.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { commitAll, git, makeRepository, writeFiles } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";

const blobOf = (repository: string, path: string) => git(repository, "rev-parse", `HEAD:${path}`);

/** A repository whose HEAD is what a set made of its first commit, and that set. */
async function delivered() {
  const repository = makeRepository({
    "a.txt": "1\n2\n3\n4\n5\n",
    "bin/tool": "x\n",
    "gone.bin": Uint8Array.of(0, 255, 1),
    "latin.txt": Uint8Array.of(0xe4, 10),
    "moved.txt": "moved\n",
  });
  const base = git(repository, "rev-parse", "HEAD");
  const opened = await openRunner({ role: "patches", repositories: [repository] });
  const set = setOf(
    repository,
    {
      "a.txt": { op: "edit" },
      "bin/tool": { op: "edit", mode: "100755" },
      "gone.bin": { op: "delete", pre: { blob: blobOf(repository, "gone.bin") } },
      "latin.txt": { op: "replace", content: { text: "ä" } },
      "new name.txt": { op: "rename", from: "moved.txt" },
      "new.txt": newFile("new"),
    },
    [
      {
        task_id: "task_1",
        file: "a.txt",
        operation: "replace-block",
        start: 2,
        end: 2,
        block: "",
        metadata: { provider: "script" },
      },
    ],
  );
  const { report } = await finishPatch(opened, patchRequest(repository, set));
  if (report.kind !== "applied") return expect.fail(JSON.stringify(report));
  const forge = runnerForge({ url: opened.runner.url, token: new Secret(testToken) });
  const source = { kind: "local" as const, path: repository };
  const commit = await forge.commit({
    source,
    patchSetId: "ps_1",
    treeId: report.treeId,
    parent: base,
    message: "Do it\n",
    author: { name: "Switchyard", email: "ai@example.com" },
    atMs: 1_700_000_000_000,
  });
  git(repository, "reset", "--quiet", "--hard", commit);
  const record = {
    baseCommit: base,
    ontoCommit: null,
    commitSha: commit,
    set: { kind: "inline", text: JSON.stringify(set) },
  } as PatchSetRecord;
  const artifacts = { put: async () => {}, get: async () => null };
  const inverse = (headCommit: string) =>
    inverseOf(
      { patchSets: { find: async () => record }, artifacts, forge },
      {
        task: aTask({ source, reverts: "ps_1" }),
        order: { projectId: "proj_1", id: "ORD-1", headCommit },
      },
    );
  const gate = async (one: PatchSet | null) => {
    if (one === null) return expect.fail("there is no inverse");
    return (await finishPatch(opened, patchRequest(repository, one), "ps_2")).report;
  };
  return { repository, base, commit, inverse, gate };
}

describe("the inverse of a delivered patch", () => {
  it("makes the very tree of before, by both engines and git", async () => {
    const { repository, base, commit, inverse, gate } = await delivered();

    const { head, set } = await inverse(commit);

    expect([head, set?.base.commit]).toEqual([commit, commit]);
    expect(await gate(set)).toMatchObject({
      kind: "applied",
      treeId: git(repository, "rev-parse", `${base}^{tree}`),
    });
  });

  it("keeps what came later, in the same file and beside it", async () => {
    const { repository, inverse, gate } = await delivered();
    writeFiles(repository, { "a.txt": "1\n3\n4\nFIVE\n", "later.txt": "later\n" });
    const head = commitAll(repository, "later");

    const report = await gate((await inverse(head)).set);

    git(repository, "checkout", "--quiet", "HEAD~2", "--", ".");
    git(repository, "rm", "--quiet", "-r", "--cached", "new.txt", "new name.txt");
    writeFiles(repository, { "a.txt": "1\n2\n3\n4\nFIVE\n" });
    git(repository, "add", "a.txt");
    expect(report).toMatchObject({ kind: "applied", treeId: git(repository, "write-tree") });
  });

  it("is refused with its faults where later work stands in its way", async () => {
    const { repository, inverse, gate } = await delivered();
    writeFiles(repository, { "a.txt": "1\nother\n3\n4\n5\n", "gone.bin": "back\n" });
    const head = commitAll(repository, "later");

    expect(await gate((await inverse(head)).set)).toMatchObject({
      kind: "refused",
      faults: [
        { file: "a.txt", code: "stale" },
        { file: "gone.bin", code: "file_exists" },
      ],
    });
  });
});
