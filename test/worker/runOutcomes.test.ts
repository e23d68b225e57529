import { beforeEach, describe, expect, it, vi } from "vitest";
import type { RunReport } from "../../shared/contracts/runner.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { newTenant, tickFor, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const submit = (limits = {}) => tenant.submit({ projectId, provider: "gemini", limits });
const runs = () => [...runner.runs.keys()];

describe("a run that ended well", () => {
  it("is one commit on the order's branch", async () => {
    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({
      status: "completed",
      outcome: { code: "delivered" },
      execution: { status: "succeeded", provider: "gemini", sessionId: "session-1" },
      patch: { status: "delivered", files: 1, operations: 1 },
    });
    expect(task.commit?.branch).toBe(`factory/${task.orderId}`);
    expect(runner.refs.get(`refs/heads/factory/${task.orderId}`)).toBe(task.commit?.sha);
    expect(task.log.map(({ action }) => action)).toEqual([
      "task.accepted",
      "task.assigned",
      "execution.running",
      "execution.succeeded",
      "patch.applied",
      "patch.verified",
      "patch.delivered",
    ]);
  });

  it("is complete without a commit when it changed nothing", async () => {
    runner.onRun = (run) => run.finish({ patch: null });

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "completed", outcome: { code: "no_changes" } });
    expect(task.commit).toBeNull();
    expect(runner.refs.size).toBe(0);
  });

  it("costs what the configured prices say when the agent tells no cost", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", {
      costPerToken: { inputMicroUsdPerMillion: 2_000_000, outputMicroUsdPerMillion: 10_000_000 },
    });

    const task = await tenant.until((await submit()).id, ...final);

    expect(task.execution?.usage).toMatchObject({
      costMicroUsd: 1000 * 2 + 50 * 10,
      costSource: "configured",
    });
  });

  it("costs what the list price of its model says when nobody else does", async () => {
    runner.onRun = (run) => run.finish({ patch: null, model: "gpt-4.1" });

    const task = await tenant.until((await submit()).id, ...final);

    const { cachedInputTokens = 0 } = task.execution?.usage ?? {};
    expect(task.execution?.usage).toMatchObject({
      costMicroUsd: (1000 - cachedInputTokens) * 2 + cachedInputTokens * 0.5 + 50 * 8,
      costSource: "price_table",
    });
  });
});

describe("a run that did not end well is no success", () => {
  const end: Record<string, [Partial<RunReport>, string]> = {
    "exit 0 without a terminal event": [{ terminal: null }, "incomplete"],
    "all edits denied": [{ patch: null, deniedToolCalls: 2 }, "denied"],
    "a result that is not ok": [
      { terminal: { ok: false, reason: "error", text: "I gave up." } },
      "agent_error",
    ],
    "a bad exit code after a good word": [{ exit: { exitCode: 1, signal: null } }, "agent_error"],
    "a wrong key": [{ error: { kind: "auth", status: 401, message: "bad key" } }, "provider_auth"],
    "an empty account": [
      { error: { kind: "quota", status: 429, message: "quota" } },
      "provider_quota",
    ],
    "a source that cannot be read": [
      { fault: { code: "source_unreadable", message: "no such branch" } },
      "runner_fault",
    ],
  };

  it.each(Object.keys(end))("%s", async (name) => {
    const [facts, code] = end[name] ?? [{}, ""];
    runner.onRun = (run) => run.finish(facts);

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "failed", outcome: { code }, commit: null });
    expect(task.execution?.status).toBe("failed");
    expect(runner.refs.size).toBe(0);
    expect(runs()).toHaveLength(1);
  });
});

describe("a run that may end better next time", () => {
  const failsOnce = (facts: Partial<RunReport>) => {
    runner.onRun = (run: RunControl) => run.finish(run.request.fence === 1 ? facts : {});
  };

  it.each([
    ["rate_limit" as const, 429],
    ["overloaded" as const, 529],
  ])("is tried again after %s", async (kind, status) => {
    failsOnce({ error: { kind, status, message: "later" } });
    const { id } = await submit();
    const waiting = await vi.waitFor(async () => {
      const task = await tenant.show(id);
      expect(task).toMatchObject({ status: "queued", fence: 1, waiting: { reason: "retry" } });
      return task;
    });
    expect(waiting.waiting?.untilMs).toBeGreaterThan(Date.now());

    await tickFor(id);

    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "completed", fence: 2 });
    expect(runs()).toHaveLength(2);
  });

  it("is not tried more often than its limit", async () => {
    runner.onRun = (run) => run.stop("shutdown");

    const task = await tenant.until((await submit({ maxAttempts: 1 })).id, ...final);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "lost" } });
  });
});

describe("a limit", () => {
  it("ends a run that takes too long", async () => {
    runner.onRun = (run) => {
      const talk = () => {
        run.emit({ type: "message", role: "assistant", text: "still busy" });
        if (runner.runs.get(run.id)?.report === null) setTimeout(talk, 200);
      };
      talk();
    };

    const task = await tenant.until((await submit({ wallClockSeconds: 1 })).id, ...final);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "timed_out" } });
    expect(task.execution?.status).toBe("timed_out");
    expect(runner.requests.filter((line) => line.endsWith("/cancel"))).toHaveLength(1);
  });

  it("ends a run that says nothing", async () => {
    runner.onRun = () => {};

    const task = await tenant.until((await submit({ silenceSeconds: 1 })).id, ...final);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "silent" } });
  });
});

describe("a runner", () => {
  it("that loses the run gets the task's next attempt", async () => {
    runner.onRun = () => {};
    const { id } = await submit();
    await tenant.until(id, "running");

    runner.runs.clear();
    runner.onRun = (run) => run.finish();
    await vi.waitFor(async () => expect((await tenant.show(id)).fence).toBe(1));
    await vi.waitFor(async () => expect((await tenant.show(id)).status).toBe("queued"), 5_000);
    await tickFor(id);

    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "completed", fence: 2 });
  });

  it.each([
    ["HTML", () => new Response("<html>Bad gateway</html>", { status: 502 })],
    ["an empty body", () => new Response(null)],
    ["JSON of another kind", () => Response.json({ hello: "world" })],
  ])("that answers %s has lost the run after a while", async (_name, answer) => {
    runner.onRun = () => {};
    const { id } = await submit({ maxAttempts: 1 });
    await tenant.until(id, "running");

    runner.misbehave = (method) => (method === "GET" ? answer() : undefined);

    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "failed", outcome: { code: "lost" } });
  });

  it("that sends events with a gap is not believed", async () => {
    runner.onRun = () => {};
    const { id } = await submit({ maxAttempts: 1 });
    await tenant.until(id, "running");
    const line = { number: 7, atMs: 1, event: { type: "message", role: "assistant", text: "x" } };

    runner.misbehave = (_method, path) =>
      path.endsWith("/events") ? new Response(`${JSON.stringify(line)}\n`) : undefined;

    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "failed", outcome: { code: "lost" } });
  });

  it("that comes back before the time is over has lost nothing", async () => {
    let finish = () => {};
    runner.onRun = (run) => {
      finish = () => run.finish();
    };
    const { id } = await submit();
    await tenant.until(id, "running");
    let refused = 0;
    runner.misbehave = () => {
      refused += 1;
      if (refused <= 1) throw new TypeError("connection refused");
      return undefined;
    };

    finish();

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "completed", fence: 1 });
    expect(refused).toBeGreaterThan(1);
  });

  it("may send events of a kind that this version does not know", async () => {
    runner.onRun = (run) => {
      run.emit({ type: "tomorrow", what: 1 } as never);
      run.finish();
    };

    expect(await tenant.until((await submit()).id, ...final)).toMatchObject({
      status: "completed",
    });
  });
});
