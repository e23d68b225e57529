import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fingerprint, git } from "../../scripts/demo/repository.ts";
import type { TaskDetail, TaskView } from "../../shared/contracts/task.ts";
import {
  factoryBranches,
  openWorld,
  processesOf,
  submit,
  untilToolUse,
  type World,
  watchToEnd,
} from "./kit/local.ts";

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** The task that remediates this one. */
async function childOf(id: string): Promise<TaskDetail> {
  const { url, token } = world.deployment;
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/v1/tasks?limit=10`, { headers });
  const { tasks } = (await answer.json()) as { tasks: TaskView[] };
  return world.client.task(tasks.find(({ parentId }) => parentId === id)?.id ?? "");
}

describe("a task on this machine", () => {
  it("goes from an HTTP request over a real agent to a verified commit", async () => {
    const before = await fingerprint(world.repository);
    const base = await git(world.repository, "rev-parse", "HEAD");

    const { id } = await submit(world);
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({
      status: "completed",
      provider: "gemini",
      execution: { status: "succeeded", events: expect.any(Number) },
      patch: { status: "delivered", files: 1, operations: 1, validation: { status: "passed" } },
    });
    const kinds = new Set(events.map(({ event }) => event.type));
    for (const kind of [
      "workspace_ready",
      "agent_started",
      "tool_use",
      "result",
      "diff",
      "patch_applied",
      "command_finished",
      "state",
    ])
      expect(kinds).toContain(kind);
    expect(events.map(({ id: at }) => at)).toEqual(events.map((_, index) => `1-${index + 1}`));

    const sha = task.commit?.sha ?? "";
    expect(await git(world.repository, "rev-parse", `factory/${task.orderId}`)).toBe(sha);
    expect(await git(world.repository, "rev-parse", `${sha}^`)).toBe(base);
    expect(await git(world.repository, "rev-parse", `${sha}^{tree}`)).toBe(task.patch?.treeId);
    expect(await git(world.repository, "diff", "--numstat", base, sha)).toBe(
      "1\t1\tsrc/shipping.js",
    );
    expect(await git(world.repository, "log", "-1", "--format=%an <%ae>%n%B", sha)).toContain(
      `Switchyard-Task: ${id}`,
    );
    expect(await fingerprint(world.repository)).toBe(before);
  });

  it("is one task, one execution and one commit, though it is sent three times with one key", async () => {
    const branches = await factoryBranches(world);

    const sent = await Promise.all(
      [1, 2, 3].map(() => submit(world, { orderId: "ORD-thrice" }, "one-key")),
    );
    const [first] = sent;
    const { task } = await watchToEnd(world, first?.id ?? "");

    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(task).toMatchObject({ status: "completed", fence: 1 });
    expect(await factoryBranches(world)).toEqual([...branches, "factory/ORD-thrice"].sort());
    expect(await git(world.repository, "rev-list", "--count", "main..factory/ORD-thrice")).toBe(
      "1",
    );
  });

  it("is put right by its agent, in the same session, when its first change does not pass", async () => {
    await world.play("second-try");

    const { task } = await watchToEnd(world, (await submit(world)).id);

    const { id, orderId } = task;
    const child = await childOf(id);
    expect(task).toMatchObject({
      status: "completed",
      patch: { status: "rejected", validation: { status: "failed" } },
      commit: { branch: `factory/${orderId}`, sha: child.commit?.sha },
    });
    expect(child).toMatchObject({
      kind: "remediation",
      status: "completed",
      patch: { status: "delivered", validation: { status: "passed" } },
      execution: { sessionId: task.execution?.sessionId },
    });
    expect(child.prompt).toContain("an order of exactly 50.00 ships free");
    const range = `main..factory/${orderId}`;
    expect(await git(world.repository, "rev-list", range)).toBe(task.commit?.sha);
    expect(await git(world.repository, "diff", "--name-only", range)).toBe("src/shipping.js");
    expect(await git(world.repository, "log", "-1", "--format=%s", range)).toBe("Fix the test.");
  });

  it("ends without a commit when the agent changes nothing", async () => {
    await world.play("plain");

    const { task } = await watchToEnd(world, (await submit(world)).id);

    expect(task).toMatchObject({
      status: "completed",
      outcome: { code: "no_changes" },
      commit: null,
    });
  });

  it("fails when the key is refused, and says so", async () => {
    await world.play("error-401");

    const { task } = await watchToEnd(world, (await submit(world)).id);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "provider_auth" } });
  });

  it("is cancelled with every process of its agent gone", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world);
    await untilToolUse(world, id);
    const executionId = (await world.client.task(id)).execution?.id ?? "";
    expect(processesOf(executionId).length).toBeGreaterThan(0);

    await world.client.cancel(id);
    const { task } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "cancelled", commit: null });
    expect(processesOf(executionId)).toEqual([]);
  });

  it("is stopped at its time limit", async () => {
    await world.play("hang");
    const { id } = await submit(world, { limits: { wallClockSeconds: 4 } });

    const { task } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "timed_out" } });
    expect(processesOf(task.execution?.id ?? "")).toEqual([]);
  });

  it("keeps the key of the model out of all that it tells", async () => {
    await world.play("leak");

    const { task, events } = await watchToEnd(world, (await submit(world)).id);

    const told = JSON.stringify([task, events]);
    expect(told).not.toContain("canary-key-of-the-model");
    expect(told).toContain("[secret:GEMINI_API_KEY]");
  });

  it("has its second task of an order go on from the first one's commit", async () => {
    await world.play("fix");
    const first = await watchToEnd(world, (await submit(world, { orderId: "ORD-two" })).id);
    await world.play("plain");

    const second = await watchToEnd(world, (await submit(world, { orderId: "ORD-two" })).id);

    const workspace = second.events.find(({ event }) => event.type === "workspace_ready")?.event;
    expect(workspace).toMatchObject({ baseCommit: first.task.commit?.sha });
  });
});

describe("a branch to which somebody commits while a patch of it is validated", () => {
  it("gets the patch on top of that commit, and keeps the commit when the patch is taken back", async () => {
    await world.play("fix");
    const branch = "factory/ORD-moved";
    const validation = [pushOnce(world.repository, branch)];

    const { task, events } = await watchToEnd(
      world,
      (await submit(world, { orderId: "ORD-moved", validation })).id,
    );

    expect(task).toMatchObject({ status: "completed", fence: 1, patch: { status: "delivered" } });
    expect(events.filter(({ event }) => event.type === "patch_applied")).toHaveLength(2);
    const theirs = await git(world.repository, "rev-parse", `${branch}^`);
    const subjects = await git(world.repository, "log", "--format=%s", `main..${branch}`);
    expect(subjects).toBe("Fix the test.\nSomebody else's");
    expect(await git(world.repository, "show", `${branch}:theirs.txt`)).toBe("theirs");
    expect(await git(world.repository, "rev-parse", `${branch}^{tree}`)).toBe(task.patch?.treeId);
    expect(await git(world.repository, "diff", "--name-only", theirs, branch)).toBe(
      "src/shipping.js",
    );

    const taken = await watchToEnd(world, await revert(task.patch?.id ?? ""));

    expect(taken.task).toMatchObject({ status: "completed", outcome: { code: "delivered" } });
    expect(await git(world.repository, "rev-parse", `${branch}^{tree}`)).toBe(
      await git(world.repository, "rev-parse", `${theirs}^{tree}`),
    );
    expect(await git(world.repository, "rev-list", "--count", `main..${branch}`)).toBe("3");
  });
});

/** A command that stands for somebody who commits a new file to a branch, the first time that it runs. */
function pushOnce(repository: string, branch: string) {
  const script = `cd "$1" && git rev-parse --quiet --verify "refs/heads/$2" && exit 0
    export GIT_INDEX_FILE="$TMPDIR/index"
    git read-tree main
    git update-index --add --cacheinfo "100644,$(echo theirs | git hash-object -w --stdin),theirs.txt"
    commit=$(git -c user.name=Bob -c user.email=bob@example.com \
      commit-tree -p main -m "Somebody else's" "$(git write-tree)")
    git update-ref "refs/heads/$2" "$commit"`;
  return { name: "push", argv: ["sh", "-c", script, "sh", repository, branch], timeoutMs: 60_000 };
}

async function revert(patchSetId: string): Promise<string> {
  const { url, token } = world.deployment;
  const answer = await fetch(`${url}/api/v1/patches/${patchSetId}/revert`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ reason: "It broke the shop." }),
  });
  return ((await answer.json()) as TaskView).id;
}

describe("what a caller gets wrong on a real deployment", () => {
  it("is refused before anything is started", async () => {
    for (const [request, code] of [
      [{ branch: "-x" }, "invalid_request"],
      [{ branch: "../main" }, "invalid_request"],
      [{ provider: "skynet" }, "unknown_provider"],
      [{ prompt: "" }, "prompt_required"],
      [{ prompt: "x".repeat(5_000_000) }, "body_too_large"],
    ] as const)
      await expect(submit(world, request)).rejects.toMatchObject({ code });
  });

  it("of a branch that is not there, ends the task with what to do", async () => {
    await world.play("fix");
    const { task } = await watchToEnd(
      world,
      (await submit(world, { branch: "no-such-branch" })).id,
    );
    expect(task).toMatchObject({ status: "failed", outcome: { code: "runner_fault" } });
    expect(task.outcome?.message).toContain("no-such-branch");
  });
});

describe("the state folder", () => {
  it("is for its owner alone", async () => {
    const { stat } = await import("node:fs/promises");
    const mode = async (file: string) =>
      (await stat(path.join(world.folder, "state", file))).mode & 0o777;
    expect(await mode(".")).toBe(0o700);
    expect(await mode("secrets.json")).toBe(0o600);
    expect(await mode(".dev.vars")).toBe(0o600);
    expect(await mode("runner-agents")).toBe(0o700);
    expect(await readFile(path.join(world.folder, "state/wrangler.json"), "utf8")).not.toContain(
      "canary",
    );
  });
});
