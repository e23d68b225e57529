import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorTable } from "../../shared/errors.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { commitAll, git, makeRepository, temporaryFolder } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";

const author = { name: "Switchyard", email: "ai@example.com" };

/** A repository with an applied patch run, and how to deliver it. */
async function applied(repository = makeRepository({ "a.txt": "one\n" })) {
  const opened = await openRunner({ role: "patches", repositories: [repository] });
  const set = setOf(repository, { "b.txt": newFile("new\n"), "d/c.sh": newFile("x\n", "100755") });
  const { report } = await finishPatch(opened, patchRequest(repository, set));
  if (report.kind !== "applied") return expect.fail(report.kind);
  const { treeId, baseCommit: parent } = report;
  const source = { kind: "local", path: repository };
  const post = async (path: string, body: object) =>
    (await opened.client.answer("POST", `/forge/${path}`, { source, ...body })).body;
  const request = {
    patchSetId: "ps_1",
    treeId,
    parent,
    message: "fix: x\n\nwhy\n",
    author,
    atMs: 1_700_000_000_999,
  };
  const commit = async () => (await post("commit", request)) as { value: { commit: string } };
  return { ...opened, repository, treeId, parent, request, post, commit };
}

describe("a commit", () => {
  it("is of the tree, by the author, at the time; and the same when asked for again", async () => {
    const { repository, treeId, parent, commit } = await applied();

    const { value } = await commit();
    const again = await commit();

    expect(again.value).toEqual(value);
    expect(
      git(repository, "show", "-s", "--format=%T %P %an %ae %at %cn %ct %B", value.commit),
    ).toBe(
      `${treeId} ${parent} Switchyard ai@example.com 1700000000 Switchyard 1700000000 fix: x\n\nwhy`,
    );
    expect(git(repository, "ls-tree", "-r", "--name-only", value.commit)).toBe(
      "a.txt\nb.txt\nd/c.sh",
    );
  });

  it("moves no ref and leaves the work tree of the repository as it is", async () => {
    const { repository, commit } = await applied();
    writeFileSync(join(repository, "a.txt"), "at work\n");
    const before = [git(repository, "for-each-ref"), git(repository, "status", "--porcelain")];

    await commit();

    expect([git(repository, "for-each-ref"), git(repository, "status", "--porcelain")]).toEqual(
      before,
    );
    expect(git(repository, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
  });

  it.each<[string, object, string]>([
    ["another tree than that of the patch run", { treeId: "1".repeat(40) }, "invalid_request"],
    ["a parent that is not there", { parent: "1".repeat(40) }, "invalid_request"],
    ["an unknown patch run", { patchSetId: "ps_9" }, "run_not_found"],
    ["a source outside the roots", { source: { kind: "local", path: "/" } }, "source_not_allowed"],
  ])("of %s is refused", async (_, wrong, code) => {
    const { request, post } = await applied();

    expect(await post("commit", { ...request, ...wrong })).toMatchObject({ error: { code } });
  });

  it("can be made after the runner was started anew", async () => {
    const { runner, state, repository, request } = await applied();
    await runner.close();
    const { client } = await openRunner({ role: "patches", repositories: [repository], state });

    const source = { kind: "local", path: repository };
    const { body } = await client.answer("POST", "/forge/commit", { source, ...request });

    expect(body).toMatchObject({ ok: true });
  });
});

describe("a ref", () => {
  const ref = "refs/heads/factory/ORD-1";

  it("is made where there is none, and only once", async () => {
    const { repository, post, commit } = await applied();
    const { value } = await commit();

    const none = await post("ref", { ref });
    const moved = await post("move-ref", { ref, from: null, to: value.commit });
    const lost = await post("move-ref", { ref, from: null, to: value.commit });
    const there = await post("ref", { ref });

    expect([none, moved, lost, there]).toMatchObject([
      { value: { commit: null } },
      { value: { kind: "moved" } },
      { value: { kind: "lost", current: value.commit } },
      { value: { commit: value.commit } },
    ]);
    expect(git(repository, "reflog", "show", "--format=%gs", ref)).toBe("switchyard: delivery");
  });

  it("that somebody went on from after it was moved is told as such", async () => {
    const { repository, post, commit, parent } = await applied();
    const { value } = await commit();
    await post("move-ref", { ref, from: null, to: value.commit });
    const tree = git(repository, "rev-parse", `${value.commit}^{tree}`);
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    const next = git(repository, ...who, "commit-tree", tree, "-p", value.commit, "-m", "more");
    git(repository, "update-ref", ref, next);

    const again = await post("move-ref", { ref, from: null, to: value.commit });
    const other = await post("move-ref", { ref, from: parent, to: parent });

    expect([again, other]).toMatchObject([
      { value: { kind: "lost", current: next, contains: true } },
      { value: { kind: "lost", current: next, contains: true } },
    ]);
  });

  it("moves only from where the caller thinks it is", async () => {
    const { repository, post, commit, parent } = await applied();
    const { value } = await commit();
    git(repository, "branch", "factory/ORD-1", parent);

    const lost = await post("move-ref", { ref, from: value.commit, to: value.commit });
    const moved = await post("move-ref", { ref, from: parent, to: value.commit });

    expect([lost, moved]).toMatchObject([
      { value: { kind: "lost", current: parent } },
      { value: { kind: "moved" } },
    ]);
  });

  it.each<[string, (folder: string) => void]>([
    ["is checked out", () => {}],
    [
      "is checked out in another work tree",
      (folder) => {
        git(folder, "checkout", "-qb", "aside");
        git(folder, "worktree", "add", "-q", join(temporaryFolder("tree"), "t"), "main");
      },
    ],
    ["is being rebased", (folder) => startRebase(folder)],
  ])("is not moved while it %s", async (_, prepare) => {
    const { repository, post, commit, parent } = await applied();
    const { value } = await commit();
    prepare(repository);
    const from = git(repository, "rev-parse", "main");

    const answer = await post("move-ref", { ref: "refs/heads/main", from, to: value.commit });

    expect(answer).toMatchObject({ error: { code: "branch_checked_out" } });
    expect(git(repository, "rev-parse", "main")).toBe(from);
    expect(parent).toMatch(/^[0-9a-f]{40}$/);
  });

  it("that is not born yet is not made under the feet of its work tree", async () => {
    const { repository, post, commit } = await applied();
    const { value } = await commit();
    git(repository, "checkout", "-q", "--orphan", "fresh");

    const answer = await post("move-ref", {
      ref: "refs/heads/fresh",
      from: null,
      to: value.commit,
    });

    expect(answer).toMatchObject({ error: { code: "branch_checked_out" } });
  });

  it.each([
    ["factory", "factory/ORD-1"],
    ["factory/ORD-1/again", "factory/ORD-1"],
  ])("is refused for good while a branch named %s leaves no room for %s", async (other, wanted) => {
    const { repository, post, commit } = await applied();
    const { value } = await commit();
    git(repository, "branch", other);
    git(repository, "pack-refs", "--all");

    const answer = await post("move-ref", {
      ref: `refs/heads/${wanted}`,
      from: null,
      to: value.commit,
    });

    expect(answer).toMatchObject({
      error: {
        code: "branch_in_the_way",
        message: expect.stringContaining(
          `A branch named ${other} stands in the way of ${wanted}; rename it`,
        ),
      },
    });
    expect(errorTable.branch_in_the_way.retry).toBe("never");
  });

  it("of a bare repository is moved, whatever its HEAD says", async () => {
    const bare = join(temporaryFolder("bare"), "repo.git");
    git("/", "clone", "-q", "--bare", makeRepository({ "a.txt": "one\n" }), bare);
    const { post, commit, parent } = await applied(bare);
    const { value } = await commit();

    const moved = await post("move-ref", {
      ref: "refs/heads/main",
      from: parent,
      to: value.commit,
    });

    expect(moved).toMatchObject({ value: { kind: "moved" } });
  });

  it("is moved without running a hook", async () => {
    const { repository, post, commit } = await applied();
    const proof = join(temporaryFolder("proof"), "ran");
    for (const hook of ["reference-transaction", "post-update", "update", "pre-commit"]) {
      writeFileSync(join(repository, ".git/hooks", hook), `#!/bin/sh\ntouch ${proof}\n`);
      chmodSync(join(repository, ".git/hooks", hook), 0o755);
    }
    git(repository, "config", "core.fsmonitor", join(repository, ".git/hooks/update"));
    const { value } = await commit();

    await post("move-ref", { ref, from: null, to: value.commit });

    expect(() => git("/", "hash-object", proof)).toThrow();
  });

  it.each([
    "main",
    "refs/heads/",
    "refs/tags/v1",
    "refs/heads/../x",
    "refs/heads/-x",
    "HEAD",
    "--all",
  ])("by the name %s is not moved", async (name) => {
    const { post, parent } = await applied();

    const answer = await post("move-ref", { ref: name, from: null, to: parent });

    expect(answer).toMatchObject({ error: { code: "invalid_request" } });
  });
});

/** Stops in the middle, with the branch detached. */
function startRebase(folder: string): void {
  git(folder, "checkout", "-qb", "other");
  writeFileSync(join(folder, "a.txt"), "other\n");
  commitAll(folder, "other");
  git(folder, "checkout", "-q", "main");
  writeFileSync(join(folder, "a.txt"), "main\n");
  commitAll(folder, "main");
  expect(() => git(folder, "rebase", "-q", "other")).toThrow();
}
