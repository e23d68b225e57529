import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { PatchDetail } from "../../shared/contracts/patch.ts";
import type { PatchFiles } from "../../shared/contracts/patchViews.ts";
import type { PatchReport, PatchRunRequest, RunRequest } from "../../shared/contracts/runner.ts";
import type { TaskView } from "../../shared/contracts/task.ts";
import { fakeBase, fakeTree, type PatchControl } from "../fakes/fakeRuns.ts";
import { approvalWorld, codeOf } from "./approvalWorld.ts";
import { edit } from "./patchSamples.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;

const branch = "refs/heads/factory/ORD-7";
const foreign = "f".repeat(40);
const final = ["completed", "failed", "cancelled", "escalated"];
const mergedTree = "8".repeat(40);

beforeEach(async () => {
  world = await approvalWorld();
  world.leave({ "a.txt": { op: "edit" } }, [edit]);
});

/** Somebody pushes just before each of these moves of the ref. */
function pushBeforeMove(...pushes: (() => void)[]): void {
  world.runner.misbehave = (_, path) => {
    if (path === "/forge/move-ref") pushes.shift()?.();
    return undefined;
  };
}

/** A commit of somebody else on top of what the branch is at, or of the base. */
const push = (commit: string, on?: string) => () => {
  world.runner.parents.set(commit, on ?? world.runner.refs.get(branch) ?? fakeBase);
  world.runner.refs.set(branch, commit);
};

/** Onto another commit than its base the patch makes another tree, or what is given. */
function ontoForeign(report?: PatchReport): void {
  world.runner.onPatch = (run: PatchControl) => {
    if (run.request.onto === undefined) return run.finish();
    const merged = applied();
    if (report === undefined) run.emit({ type: "patch_applied", treeId: mergedTree, files: 1 });
    run.finish(report ?? merged);
  };
}

const applied = (more: object = {}): PatchReport => ({
  kind: "applied",
  treeId: mergedTree,
  baseCommit: fakeBase,
  validation: { status: "passed", commands: [] },
  ...more,
});

const submit = (request: object = {}) => world.submit({ orderId: "ORD-7", ...request });
const patchRuns = () =>
  [...world.runner.patches.values()].map(({ request }) => request as PatchRunRequest);
const agentRuns = () => [...world.runner.runs.values()].map(({ request }) => request as RunRequest);

async function detailsOf(taskId: string, action: string) {
  const { results } = await env.DB.prepare(
    "select details from operation_logs where subject_id = ? and action = ?",
  )
    .bind(taskId, action)
    .all<{ details: string }>();
  return results.map(({ details }) => JSON.parse(details));
}

describe("a patch whose branch somebody else has committed to", () => {
  it("is merged with that, validated anew and delivered on top of it", async () => {
    ontoForeign();
    pushBeforeMove(push(foreign));

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "completed", outcome: { code: "delivered" }, fence: 1 });
    const commit = task.commit?.sha ?? "";
    expect(world.runner.refs.get(branch)).toBe(commit);
    expect(world.runner.parents.get(commit)).toBe(foreign);
    const [first, second] = patchRuns();
    expect(first).toMatchObject({ expectedTreeId: fakeTree, source: { commit: fakeBase } });
    expect(first).not.toHaveProperty("onto");
    expect(second).toMatchObject({
      expectedTreeId: null,
      onto: foreign,
      source: { commit: fakeBase },
    });
    expect(await world.show(task.patch?.id ?? "")).toMatchObject({
      status: "delivered",
      baseCommit: fakeBase,
      ontoCommit: foreign,
      treeId: mergedTree,
      commit,
    });
    expect(await detailsOf(task.id, "patch.brought_onto")).toMatchObject([
      { branch: "factory/ORD-7", from: fakeBase, to: foreign, voidTreeId: fakeTree },
    ]);
    expect(await detailsOf(task.id, "patch.delivered")).toMatchObject([{ ontoCommit: foreign }]);
  });

  it("is brought onto every commit that came, and the order's next task goes on from there", async () => {
    ontoForeign();
    const other = "e".repeat(40);
    pushBeforeMove(push(foreign), push(other));

    const first = await world.tenant.until(await submit(), ...final);
    const second = await world.tenant.until(await submit(), ...final);

    expect(patchRuns().map(({ onto }) => onto)).toEqual([undefined, foreign, other, undefined]);
    expect(world.runner.parents.get(first.commit?.sha ?? "")).toBe(other);
    expect(second.status).toBe("completed");
    expect(agentRuns()[1]?.source).toMatchObject({ commit: first.commit?.sha });
  });

  it("has to be approved anew", async () => {
    world.leave({ ".github/ci.yml": { op: "create", content: { text: "on: push\n" } } });
    ontoForeign();
    pushBeforeMove(push(foreign));
    const { taskId, seen } = await world.waiting({ orderId: "ORD-7" });
    await world.approve(seen);

    const again = await untilPatch(
      taskId,
      ({ ontoCommit, status }) => ontoCommit !== null && status === "awaiting_approval",
    );

    expect(again).toMatchObject({ treeId: mergedTree, approvedBy: null });
    expect(world.runner.refs.get(branch)).toBe(foreign);
    expect(await codeOf(await world.approve(seen))).toBe("409 approval_mismatch");
    expect((await world.approve(again)).status).toBe(200);
    const task = await world.tenant.until(taskId, "completed");
    expect(world.runner.parents.get(task.commit?.sha ?? "")).toBe(foreign);
    expect(await detailsOf(taskId, "patch.approved")).toMatchObject([
      { treeId: fakeTree },
      { treeId: mergedTree, ontoCommit: foreign },
    ]);
  });

  it("is told against that commit", async () => {
    world.runner.trees.set(fakeBase, { "a.txt": "one\ntwo\nthree\nfour\n" });
    world.runner.trees.set(foreign, { "a.txt": "one\ntwo\nthree\nfour\nfive\n" });
    ontoForeign();
    pushBeforeMove(push(foreign));
    const task = await world.tenant.until(await submit(), "completed");

    const shown = await world.tenant.call("GET", `/api/v1/patches/${task.patch?.id}/files`);

    expect(await shown.json<PatchFiles>()).toMatchObject({
      baseCommit: fakeBase,
      ontoCommit: foreign,
      files: [
        {
          path: "a.txt",
          before: { content: { text: "one\ntwo\nthree\nfour\nfive\n" } },
          after: { content: { text: "one\nTWO\nthree\nfour\nfive\n" } },
        },
      ],
    });
  });

  it("is done without a commit when that makes the same change", async () => {
    ontoForeign(applied({ alreadyApplied: true }));
    pushBeforeMove(push(foreign));

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({
      status: "completed",
      outcome: {
        code: "already_applied",
        message: `All that the patch changes is on factory/ORD-7 already, at ${foreign}.`,
      },
      commit: null,
      patch: { status: "already_applied" },
    });
    expect(world.runner.refs.get(branch)).toBe(foreign);
    await world.tenant.until(await submit(), ...final);
    expect(agentRuns()[1]?.source).toMatchObject({ commit: foreign });
  });

  it("is for a person when the same change is taken off the branch again meanwhile", async () => {
    world.runner.onPatch = (run: PatchControl) => {
      if (run.request.onto === undefined) return run.finish();
      world.runner.refs.delete(branch);
      run.emit({ type: "patch_applied", treeId: mergedTree, files: 0 });
      run.finish(applied({ alreadyApplied: true }));
    };
    pushBeforeMove(push(foreign));

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({
      status: "escalated",
      outcome: { code: "conflict", message: expect.stringContaining("is gone") },
      patch: { status: "conflict" },
    });
  });

  it("is put right by an agent that sees the conflict and has the branch as it is", async () => {
    const marked = "<<<<<<< a.txt\ntwo!\n||||||| base\ntwo\n=======\nTWO\n>>>>>>> patch\n";
    const span = { start: 2, lines: 1 };
    const fault = { index: null, file: "a.txt", code: "conflict" as const, message: "at 2,1" };
    const conflicts = [
      { file: "a.txt", hunks: [{ base: span, ours: span, theirs: span }], marked },
    ];
    ontoForeign({ kind: "refused", faults: [fault], conflicts });
    pushBeforeMove(push(foreign));
    const projectId = await world.tenant.project({ remediation: { depth: 1 } });

    const task = await world.tenant.until(await submit({ projectId }), ...final);

    expect(task).toMatchObject({ status: "completed", patch: { status: "conflict" } });
    expect(task.patch?.faults).toEqual([fault]);
    const [, child] = agentRuns();
    expect(child?.source).toMatchObject({ commit: foreign });
    expect(child?.prompt).toContain(`the branch as it is now, at ${foreign}`);
    expect(child?.prompt).toContain(`a.txt, line 2:\n${marked}`);
    expect(world.runner.parents.get(task.commit?.sha ?? "")).toBe(foreign);
  });

  it("is a conflict too where a file that it changes is gone", async () => {
    const fault = { index: null, file: "a.txt", code: "missing_file" as const, message: "gone" };
    ontoForeign({ kind: "refused", faults: [fault] });
    pushBeforeMove(push(foreign));

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "conflict" } });
    expect(task.outcome?.message).toContain(`has gone on to ${foreign}`);
  });

  it("is handed to a person when the branch moves each time", async () => {
    ontoForeign();
    const digits = ["1", "2", "3", "4", "5", "6", "9"];
    pushBeforeMove(...digits.map((digit) => push(digit.repeat(40))));

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "conflict" } });
    expect(task.outcome?.message).toContain("has moved each of the 6 times");
    expect(world.runner.refs.get(branch)).toBe("6".repeat(40));
    expect(patchRuns()).toHaveLength(6);
  });
});

describe("a patch whose branch was rewritten", () => {
  it.each([
    ["set elsewhere", push(foreign, "0".repeat(40)), `does not go on from`, foreign],
    ["taken away", () => void world.runner.refs.delete(branch), "is gone", undefined],
  ])("and %s is for a person, who is told what to do", async (_, rewrite, said, left) => {
    const first = await world.tenant.until(await submit(), "completed");
    pushBeforeMove(rewrite);

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "conflict" } });
    expect(task.outcome?.message).toContain(said);
    expect(task.outcome?.message).toContain(`Put ${first.commit?.sha} back into it`);
    expect(world.runner.refs.get(branch)).toBe(left);
    const { tasks } = await (await world.tenant.call("GET", "/api/v1/tasks")).json<{
      tasks: TaskView[];
    }>();
    expect(tasks).toHaveLength(2);
  });
});

describe("a patch whose runner is of an older version", () => {
  it("is for a person at once, since nobody can tell what its branch went on from", async () => {
    pushBeforeMove(push(foreign));
    const { misbehave } = world.runner;
    world.runner.misbehave = (method, path) =>
      path === "/forge/goes-on"
        ? Response.json(
            { ok: false, error: { code: "route_not_found", message: "There is no such route." } },
            { status: 404 },
          )
        : misbehave(method, path);

    const task = await world.tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "conflict" } });
    expect(world.runner.refs.get(branch)).toBe(foreign);
  });
});

const untilPatch = (taskId: string, is: (patch: PatchDetail) => boolean) =>
  vi.waitFor(
    async () => {
      const { patch } = await world.tenant.show(taskId);
      const seen = await world.show(patch?.id ?? "");
      if (!is(seen)) throw new Error(`the patch is ${seen.status}`);
      return seen;
    },
    { timeout: 15_000, interval: 30 },
  );
