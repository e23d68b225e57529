import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { PatchFault } from "../../shared/contracts/aiPatch.ts";
import type { PatchReport, RunRequest } from "../../shared/contracts/runner.ts";
import type { TaskView } from "../../shared/contracts/task.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl } from "../fakes/fakeRuns.ts";
import { secretSamples } from "../patch/secretSamples.ts";
import { newTenant, tickFor, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const prompt = "Rename add to sum.";

/** By default a project says nothing of remediation. */
async function submit(request: object = {}, remediation?: { depth: number }) {
  const projectId = await tenant.project({ remediation });
  return (await tenant.submit({ projectId, provider: "gemini", prompt, ...request })).id;
}

const failing = {
  name: "test",
  argv: ["npm", "test"],
  status: "failed" as const,
  exitCode: 1,
  durationMs: 9,
  tail: "not ok 3 - add is gone",
};
const failed: PatchReport = {
  kind: "applied",
  treeId: "7".repeat(40),
  baseCommit: "b".repeat(40),
  validation: { status: "failed", commands: [failing] },
};

/** The first so many patches do not pass. */
function failFirst(times: number, report: PatchReport = failed): void {
  let left = times;
  runner.onPatch = (patch: PatchControl) => {
    left -= 1;
    patch.finish(left >= 0 ? report : undefined);
  };
}

const requests = () => [...runner.runs.values()].map(({ request }) => request as RunRequest);
const agentsAsked = () => requests().map(({ agent }) => agent);
const tasksOf = async () =>
  (await (await tenant.call("GET", "/api/v1/tasks")).json<{ tasks: TaskView[] }>()).tasks;
const childOf = async (id: string) => {
  const child = (await tasksOf()).find(({ parentId }) => parentId === id);
  return tenant.show(child?.id ?? "");
};
const noticesOf = async () => {
  const { results } = await env.DB.prepare(
    "select task_id as taskId, body from notices where organization_id = ?",
  )
    .bind(tenant.organizationId)
    .all<{ taskId: string; body: string }>();
  return results.map(({ taskId, body }) => ({ taskId, ...JSON.parse(body) }));
};

describe("a patch that fails validation", () => {
  it("is put right by its agent, which goes on with its session, and its task is completed", async () => {
    failFirst(1);

    const task = await tenant.until(await submit(), ...final);

    const child = await childOf(task.id);
    expect(task).toMatchObject({ status: "completed", patch: { status: "rejected" } });
    expect(task.outcome?.message).toContain(`(by ${child.id})`);
    const { orderId, createdBy } = task;
    expect(child).toMatchObject({ kind: "remediation", status: "completed", orderId, createdBy });
    expect(task.commit).toEqual(child.commit);
    expect(runner.refs.get(`refs/heads/factory/${task.orderId}`)).toBe(task.commit?.sha);
    expect(runner.messages.at(-1)).toMatch(/^Rename add to sum\.\n/);
    expect(requests()).toMatchObject([
      { agent: "gemini", taskId: task.id },
      { agent: "gemini", taskId: child.id, session: { id: "session-1", orNew: true } },
    ]);
    expect(await noticesOf()).toMatchObject([
      { taskId: task.id, status: "completed", commit: { sha: task.commit?.sha } },
    ]);
  });

  it("is told to the agent with its cause, its files and the end of what was printed", async () => {
    failFirst(1);

    const task = await tenant.until(await submit(), ...final);

    expect(requests()[1]?.prompt).toBe(
      [
        "An earlier change for this order could not be delivered: The patched code does not pass: test failed.",
        'The end of what "test" printed:\nnot ok 3 - add is gone',
        `It was patch set ${task.patch?.id} of task ${task.id}, against commit ${"b".repeat(40)}.`,
        "It changed src/math.js.",
        "Nothing of it is in the working directory now. Make the whole change again, so that it applies and passes.",
        `The task was:\n${prompt}`,
      ].join("\n\n"),
    );
  });

  it("takes a task along that is too long for its row", async () => {
    failFirst(1);
    const long = `${"x".repeat(40_000)} and no more`;

    await tenant.until(await submit({ prompt: long }), "completed");

    expect(requests()[1]?.prompt).toContain(long);
  });

  it("is escalated with its whole story when the last remediation fails too", async () => {
    failFirst(9);

    const task = await tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "escalated", commit: null });
    expect(task.outcome?.code).toBe("validation_failed");
    expect(task.outcome?.message).toContain("It was tried 3 times.");
    expect(task.outcome?.message).toContain(`${task.id} by gemini: The patched code does not pass`);
    expect(requests()).toHaveLength(3);
    expect(requests()[2]?.prompt.match(/The task was:/g)).toHaveLength(1);
    expect(await noticesOf()).toMatchObject([{ taskId: task.id, status: "escalated" }]);
    expect(runner.refs.size).toBe(0);
  });

  it.each([0, 1, 3])("is tried again as often as the project says: %i", async (depth) => {
    failFirst(9);

    expect((await tenant.until(await submit({}, { depth }), ...final)).status).toBe("escalated");

    expect(requests()).toHaveLength(depth + 1);
  });

  it("is tried again no more once its deadline has passed", async () => {
    const patches: PatchControl[] = [];
    runner.onPatch = (patch) => void patches.push(patch);
    const id = await submit();
    await vi.waitFor(() => expect(patches).toHaveLength(1), { timeout: 10_000 });

    await env.DB.prepare("update tasks set deadline_at_ms = 1 where id = ?").bind(id).run();
    patches[0]?.finish(failed);
    const task = await tenant.until(id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "validation_failed" } });
    expect(task.outcome?.message).toContain("deadline has passed");
    expect(requests()).toHaveLength(1);
  });

  it("leaves to its remediation what it has not used up of its retries", async () => {
    failFirst(1);
    const overloaded = {
      error: { kind: "overloaded" as const, status: 529, message: "overloaded" },
      terminal: null,
      patch: null,
    };
    runner.onRun = (run) => run.finish(runner.runs.size === 2 ? {} : overloaded);

    const id = await submit({ limits: { maxAttempts: 2 } });
    await vi.waitFor(async () => expect((await tenant.show(id)).waiting?.reason).toBe("retry"));
    await tickFor(id);
    const task = await tenant.until(id, ...final);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "provider_overloaded" } });
    expect(requests()).toHaveLength(3);
  });

  it("is a matter for a person when its remediation changes nothing", async () => {
    failFirst(1);
    runner.onRun = (run) => run.finish(runner.runs.size === 1 ? {} : { patch: null });

    const task = await tenant.until(await submit(), ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "no_changes" } });
  });

  it("is cancelled with its remediation", async () => {
    failFirst(9);
    runner.onRun = (run) => {
      if (runner.runs.size === 1) run.finish();
    };
    const id = await submit();
    await tenant.until(id, "remediating");
    await tenant.until((await childOf(id)).id, "running");

    await tenant.call("POST", `/api/v1/tasks/${id}/cancel`);

    await tenant.until(id, "cancelled");
    expect(await childOf(id)).toMatchObject({ status: "cancelled" });
    expect(await noticesOf()).toMatchObject([{ taskId: id, status: "cancelled" }]);
  });
});

describe("a provider whose changes could not be delivered", () => {
  beforeEach(() => {
    runner.agents = { ...runner.agents, acme: { version: "1.0.0" } };
    failFirst(2);
  });
  const anyProvider = { provider: undefined };

  it("may put its change right once, then another one is asked, with a session of its own", async () => {
    const task = await tenant.until(await submit(anyProvider), "completed");

    expect(agentsAsked()).toEqual(["gemini", "gemini", "acme"]);
    expect(requests().map(({ session }) => session?.id)).toEqual([
      undefined,
      "session-1",
      undefined,
    ]);
    expect(task.commit).not.toBeNull();
    expect(await noticesOf()).toMatchObject([{ commit: { sha: task.commit?.sha } }]);
  });

  it.each([
    ["a person chose it", { provider: "gemini" }],
    ["a person named a model for it", { ...anyProvider, model: "gemini-9" }],
  ])("is not replaced when %s", async (_, request) => {
    await tenant.until(await submit(request), "completed");

    expect(agentsAsked()).toEqual(["gemini", "gemini", "gemini"]);
  });
});

describe("what an agent may put right", () => {
  const fault = (code: PatchFault["code"]): PatchReport => ({
    kind: "refused",
    faults: [{ index: 0, file: "src/math.js", code, message: "it is so" }],
  });

  it.each([
    ["a conflict", "stale"],
    ["a refusal", "bad_path"],
  ] as const)("is %s", async (_, code) => {
    failFirst(1, fault(code));

    await tenant.until(await submit(), "completed");

    expect(requests()[1]?.prompt).toContain(`src/math.js: it is so (${code})`);
  });

  it("is a secret, which it is not told", async () => {
    const [sample] = secretSamples();
    runner.onRun = (run) => {
      const set = run.patchSet();
      const [patch] = set.patches;
      if (patch === undefined) throw new Error("the fake has a patch");
      const leaking = { ...set, patches: [{ ...patch, block: `${sample?.text}\n` }] };
      run.finish(runner.runs.size === 1 ? { patch: leaking } : {});
    };

    await tenant.until(await submit(), "completed");

    expect(requests()[1]?.prompt).toContain(
      "src/math.js: line 1 of the block at line 1 holds a secret",
    );
    expect(requests()[1]?.prompt).not.toContain(sample?.secret);
  });

  it.each<[string, PatchReport]>([
    ["two engines that disagree", { kind: "engine_mismatch", message: "other bytes" }],
    ["a protected path", fault("protected_path")],
    ["a runner that is at fault", { kind: "fault", code: "internal", message: "no" }],
  ])("is not %s", async (_, report) => {
    failFirst(1, report);

    expect((await tenant.until(await submit(), ...final)).status).toBe("escalated");

    expect(requests()).toHaveLength(1);
  });
});

describe("a project", () => {
  it.each([-1, 4, 1.5])("cannot have its patches put right %d times in a row", async (depth) => {
    const answer = await tenant.call("POST", "/api/v1/projects", {
      name: "shop",
      source: { kind: "local", path: "/repos/sample" },
      settings: { remediation: { depth } },
    });

    expect(answer.status).toBe(422);
  });
});
