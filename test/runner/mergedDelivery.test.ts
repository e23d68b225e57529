import { describe, expect, it } from "vitest";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import type { PatchSetRecord } from "../../orchestrator/worker/domain/task.ts";
import { inverseOf } from "../../orchestrator/worker/services/patch-manager/inverseOf.ts";
import { outcomeOfSet } from "../../orchestrator/worker/services/patch-manager/outcomeOfSet.ts";
import { runnerForge } from "../../orchestrator/worker/services/runners/http/runnerForge.ts";
import { gitBlobId } from "../../shared/patch/hashes.ts";
import { aTask } from "../builders.ts";
import { edited, eight, lines, openBase, pre, replaceLine } from "./kit/movedBranches.ts";
import { finishPatch, newFile, patchRequest } from "./kit/patchRuns.ts";
import { commitAll, git, writeFiles } from "./kit/repositories.ts";
import { testToken } from "./kit/runners.ts";

describe("a patch that was delivered on a commit of somebody else", () => {
  it("is shown against that commit, and taken back without it, to the byte", async () => {
    const latin = Uint8Array.of(0xe4, 10);
    const { repository, base, set, apply, runner, client } = await openBase(
      { "a.txt": eight, "latin.txt": latin, "gone.txt": "gone\n" },
      (folder) => [
        {
          "a.txt": { op: "edit", pre: pre(folder, "a.txt") },
          "b.txt": { op: "rename", from: "latin.txt", pre: pre(folder, "latin.txt") },
          "gone.txt": { op: "delete", pre: pre(folder, "gone.txt") },
          "new.txt": newFile("new\n"),
        },
        [replaceLine("a.txt", 2, "TWO")],
      ],
    );
    writeFiles(repository, {
      "a.txt": lines(0, 1, 2, 3, 4, 5, 6, 7, "EIGHT"),
      "theirs.txt": "x\n",
    });
    const onto = commitAll(repository, "somebody else's");
    const { report } = await apply(onto);
    if (report.kind !== "applied") return expect.fail(JSON.stringify(report));
    const forge = runnerForge({ url: runner.url, token: new Secret(testToken) });
    const source = { kind: "local" as const, path: repository };
    const commitSha = await forge.commit({
      source,
      patchSetId: "ps_1",
      treeId: report.treeId,
      parent: onto,
      message: "Do it\n",
      author: { name: "Switchyard", email: "ai@example.com" },
      atMs: 1_700_000_000_000,
    });

    const stored = { kind: "inline", text: JSON.stringify(set) } as const;
    const record = { baseCommit: base, ontoCommit: onto, commitSha, set: stored };
    const { outcome } = await outcomeOfSet(forge, source, record, set);
    if (outcome.kind !== "applied") return expect.fail(outcome.kind);
    for (const [path, file] of outcome.files)
      expect([path, file && (await gitBlobId(file.bytes))]).toEqual([
        path,
        git(repository, "ls-tree", "--format=%(objectname)", commitSha, path) || null,
      ]);
    expect([...outcome.files.keys()].sort()).toEqual(
      git(repository, "diff", "--no-renames", "--name-only", onto, commitSha).split("\n").sort(),
    );

    const inverse = await inverseOf(
      {
        patchSets: { find: async () => record as PatchSetRecord },
        artifacts: { put: async () => {}, get: async () => null },
        forge,
      },
      {
        task: aTask({ source, reverts: "ps_1" }),
        order: { projectId: "proj_1", id: "ORD-1", headCommit: commitSha },
      },
    );

    if (inverse.set === null) return expect.fail("there is no inverse");
    const back = await finishPatch(
      { client } as Parameters<typeof finishPatch>[0],
      patchRequest(repository, inverse.set),
      "ps_2",
    );
    expect(back.report).toMatchObject({
      kind: "applied",
      treeId: git(repository, "rev-parse", `${onto}^{tree}`),
    });
  });
});

describe("whether a commit goes on from another", () => {
  it("is told by its history alone", async () => {
    const { repository, base, runner } = await edited();
    const later = commitAll(repository, "later");
    git(repository, "checkout", "--quiet", "--orphan", "anew");
    const orphan = commitAll(repository, "no history");
    const forge = runnerForge({ url: runner.url, token: new Secret(testToken) });
    const source = { kind: "local" as const, path: repository };
    const goesOn = (commit: string, from: string) => forge.goesOn(source, commit, from);

    expect(await goesOn(later, base)).toBe(true);
    expect(await goesOn(later, later)).toBe(true);
    expect(await goesOn(base, later)).toBe(false);
    expect(await goesOn(orphan, base)).toBe(false);
    expect(await goesOn(later, "0".repeat(40))).toBe(false);
  });
});
