import { beforeEach, describe, expect, it } from "vitest";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const command = { name: "test", argv: ["npm", "test"], timeoutMs: 1000 };

const submit = async (settings = {}, request = {}) => {
  const projectId = await tenant.project(settings);
  return tenant.submit({ projectId, provider: "gemini", ...request });
};

/** The run leaves a patch of this one file in place of its usual one. */
const patching = (file: string, changes: Partial<PatchSet["files"][string]> = {}) => {
  runner.onRun = (run: RunControl) => {
    const set = run.patchSet();
    run.finish({
      patch: {
        ...set,
        files: { [file]: { op: "edit", pre: { sha256: "0".repeat(64) }, ...changes } },
        patches: set.patches.map((patch) => ({ ...patch, file })),
      },
    });
  };
};

describe("a patch set is refused before anything is done with it", () => {
  it.each([
    ["../outside.txt", "patch_rejected"],
    ["/etc/passwd", "patch_rejected"],
    [".git/hooks/post-commit", "patch_rejected"],
    [".github/workflows/../../ci.yml", "patch_rejected"],
  ])("when it touches %s", async (file, code) => {
    patching(file);

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code }, commit: null });
    expect(task.patch).toMatchObject({ status: "rejected" });
    expect(task.patch?.faults.length).toBeGreaterThan(0);
    expect(runner.patches.size).toBe(0);
  });

  it("when it leaves the paths that the task allows", async () => {
    const { id } = await submit({}, { allowedPaths: ["docs/**"] });

    const task = await tenant.until(id, ...final);

    expect(task.patch?.faults).toMatchObject([{ file: "src/math.js", code: "path_not_allowed" }]);
  });
});

describe("a patch set that does not get into the code", () => {
  it("is a conflict when its base has moved", async () => {
    const fault = { index: 0, file: "src/math.js", code: "stale" as const, message: "moved" };
    runner.onPatch = (run) => run.finish({ kind: "refused", faults: [fault] });

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "conflict" } });
    expect(task.patch).toMatchObject({ status: "conflict", faults: [fault] });
  });

  it("is handed to a person when the project's commands fail on it", async () => {
    const verdict = {
      ...command,
      status: "failed" as const,
      exitCode: 1,
      durationMs: 9,
      tail: "1 test failed",
    };
    const { timeoutMs: _, ...shown } = verdict;
    runner.onPatch = (run) => {
      run.applied();
      run.finish({
        kind: "applied",
        treeId: "7".repeat(40),
        baseCommit: "b".repeat(40),
        validation: { status: "failed", commands: [shown] },
      });
    };

    const task = await tenant.until((await submit({ validation: [command] })).id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "validation_failed" } });
    expect(task.patch?.validation?.commands).toMatchObject([{ tail: "1 test failed" }]);
    expect(runner.refs.size).toBe(0);
  });

  it("is handed to a person when the two engines disagree", async () => {
    runner.onPatch = (run) => run.finish({ kind: "engine_mismatch", message: "other bytes" });

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "engine_mismatch" } });
  });

  it("does not touch a branch that somebody else has moved", async () => {
    runner.refs.set("refs/heads/factory/ORD-77", "e".repeat(40));

    const task = await tenant.until((await submit({}, { orderId: "ORD-77" })).id, ...final);

    expect(task).toMatchObject({
      status: "escalated",
      outcome: { code: "conflict" },
      commit: null,
    });
    expect(runner.refs.get("refs/heads/factory/ORD-77")).toBe("e".repeat(40));
  });
});

describe("a patch set on its way", () => {
  it("is validated by the project's commands", async () => {
    const task = await tenant.until((await submit({ validation: [command] })).id, ...final);

    expect(task.patch?.validation).toMatchObject({
      status: "passed",
      commands: [{ name: "test", argv: ["npm", "test"], status: "passed" }],
    });
  });

  it("is applied anew when the runner went down in the middle", async () => {
    runner.onPatch = (run) => (run.request.fence === 1 ? run.stop("shutdown") : run.finish());

    const task = await tenant.until((await submit()).id, ...final);

    expect(task.status).toBe("completed");
    expect(runner.patches.size).toBe(2);
  });

  it("is told against the commit that the agent worked on", async () => {
    await tenant.until((await submit()).id, ...final);

    const [run] = runner.patches.values();
    expect(run?.request).toMatchObject({
      source: { kind: "local", commit: "b".repeat(40) },
      expectedTreeId: "7".repeat(40),
    });
  });

  it("can be read whole, also when it is too large for its row", async () => {
    runner.onRun = (run) => {
      const set = run.patchSet();
      const [patch] = set.patches;
      if (patch === undefined) throw new Error("the fake has a patch");
      run.finish({
        patch: { ...set, patches: [{ ...patch, block: `${"x".repeat(99)}\n`.repeat(800) }] },
      });
    };
    const task = await tenant.until((await submit()).id, ...final);

    const answer = await tenant.call("GET", `/api/v1/tasks/${task.id}/patch`);

    const { status, set } = await answer.json<{ status: string; set: PatchSet }>();
    expect(status).toBe("delivered");
    expect(set.patches[0]?.block).toHaveLength(80_000);
  });

  it("is not there while the agent works", async () => {
    runner.onRun = () => {};
    const { id } = await submit();
    await tenant.until(id, "running");

    const answer = await tenant.call("GET", `/api/v1/tasks/${id}/patch`);

    expect(answer.status).toBe(404);
  });
});

describe("an order of two tasks", () => {
  it("grows by one commit a task, the second from where the first left it", async () => {
    const projectId = await tenant.project();
    const request = { projectId, provider: "gemini", orderId: "ORD-2" };
    const first = await tenant.until((await tenant.submit(request)).id, ...final);
    const second = await tenant.until((await tenant.submit(request)).id, ...final);

    const bases = [...runner.runs.values()].map(({ request: asked }) => asked);
    expect(bases).toMatchObject([
      { source: { kind: "local" } },
      { source: { commit: first.commit?.sha } },
    ]);
    expect(second.status).toBe("completed");
    expect(runner.refs.get("refs/heads/factory/ORD-2")).toBe(second.commit?.sha);
  });
});
