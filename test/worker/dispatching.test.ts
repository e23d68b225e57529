import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../orchestrator/worker/index.ts";
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

const deliver = async (bodies: unknown[], queue = "ai-provider-tasks") => {
  const messages = bodies.map((body, index) => ({
    id: `message-${index}`,
    timestamp: new Date(),
    attempts: 1,
    body,
  }));
  const batch = createMessageBatch(queue, messages);
  const context = createExecutionContext();
  await worker.queue(batch as MessageBatch<unknown>, env);
  return getQueueResult(batch, context);
};
const messageFor = (taskId: string) => ({
  version: 1,
  organization_id: tenant.organizationId,
  task_id: taskId,
});

describe("a message", () => {
  it("that comes three times makes one execution", async () => {
    const { id } = await tenant.submit({ projectId, provider: "gemini" });

    await deliver([messageFor(id), messageFor(id), messageFor(id)]);
    const task = await tenant.until(id, ...final);
    const after = await deliver([messageFor(id), messageFor(id), messageFor(id)]);

    expect(task).toMatchObject({ status: "completed", fence: 1 });
    expect(after.explicitAcks).toHaveLength(3);
    expect(runner.runs.size).toBe(1);
    expect((await tenant.show(id)).updatedAtMs).toBe(task.updatedAtMs);
  });

  it.each([
    ["no message at all", null],
    ["another version", { version: 2, organization_id: "o", task_id: "t" }],
    ["values of variables", { version: 1, organization_id: "o", task_id: "t", env_vars: ["K=v"] }],
    ["a command line", { version: 1, organization_id: "o", task_id: "t", cli_command: "rm -rf /" }],
    ["an unknown task", { version: 1, organization_id: "o", task_id: "task_unknown" }],
  ])("that is poison (%s) is acked and does no harm", async (_name, body) => {
    const { explicitAcks, retryMessages } = await deliver([body]);
    expect(explicitAcks).toEqual(["message-0"]);
    expect(retryMessages).toEqual([]);
  });

  it("is delivered again when the database is away", async () => {
    const { id } = await tenant.submit({ projectId });
    const DB = new Proxy(env.DB, {
      get() {
        throw new Error("D1_ERROR: network connection lost");
      },
    });
    const batch = createMessageBatch("ai-provider-tasks", [
      { id: "m", timestamp: new Date(), attempts: 1, body: messageFor(id) },
    ]);

    await worker.queue(batch as MessageBatch<unknown>, { ...env, DB });

    const { retryMessages } = await getQueueResult(batch, createExecutionContext());
    expect(retryMessages).toMatchObject([{ msgId: "m" }]);
    await tenant.until(id, ...final);
  });

  it("that ends in the dead-letter queue hands a waiting task to a person", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await tenant.submit({ projectId });
    await vi.waitFor(async () => expect((await tenant.show(id)).waiting).not.toBeNull());

    await deliver([messageFor(id)], "ai-provider-tasks-dlq");

    const task = await tenant.show(id);
    expect(task).toMatchObject({ status: "escalated", outcome: { code: "dead_letter" } });
    await deliver([messageFor(id)], "ai-provider-tasks-dlq");
    expect((await tenant.show(id)).updatedAtMs).toBe(task.updatedAtMs);
  });
});

describe("choosing a provider", () => {
  it("that the task asks for and that cannot take it is never replaced", async () => {
    const { id } = await tenant.submit({ projectId, provider: "claude-code" });

    const task = await tenant.until(id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "no_provider" } });
    expect(task.outcome?.message).toContain("claude-code has no key");
    expect(runner.runs.size).toBe(0);
  });

  it("falls back when the task allows it, and says so", async () => {
    const request = { projectId, provider: "claude-code", allowFallback: true };
    const { id } = await tenant.submit(request);

    const task = await tenant.until(id, ...final);

    expect(task).toMatchObject({ status: "completed", provider: "gemini" });
    expect(task.log.find(({ action }) => action === "task.assigned")?.message).toContain(
      "in place of claude-code",
    );
  });

  it("keeps the reason for every provider that was looked at", async () => {
    const { id } = await tenant.submit({ projectId });
    await tenant.until(id, ...final);

    const row = await env.DB.prepare(
      "select decision from ai_provider_assignments where task_uuid = ? and status = 'active'",
    )
      .bind(id)
      .first<{ decision: string }>();

    expect(JSON.parse(row?.decision ?? "")).toMatchObject({
      kind: "assign",
      provider: "gemini",
      considered: [
        { provider: "claude-code", eligible: false, code: "no_credentials" },
        { provider: "gemini", eligible: true },
        { provider: "codex", code: "no_credentials" },
        { provider: "copilot", code: "no_credentials" },
        { provider: "opencode", eligible: false, code: "no_credentials" },
        { provider: "cursor", code: "unverified" },
        { provider: "acme", eligible: false, code: "agent_not_installed" },
      ],
    });
  });

  it("waits while the runner is away, and goes on when it is back", async () => {
    runner.misbehave = () => {
      throw new TypeError("connection refused");
    };
    const { id } = await tenant.submit({ projectId, provider: "gemini" });
    await vi.waitFor(async () =>
      expect((await tenant.show(id)).waiting).toMatchObject({ reason: "provider_unavailable" }),
    );

    runner.misbehave = () => undefined;
    await tickFor(id);

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "completed" });
  });
});

describe("a full provider", () => {
  it("makes the next task wait with its reason, and the freed slot starts it", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 1 } });
    let first: RunControl | null = null;
    runner.onRun = (run) => {
      if (first === null) first = run;
      else run.finish();
    };
    const one = await tenant.submit({ projectId, provider: "gemini" });
    await tenant.until(one.id, "running");
    const two = await tenant.submit({ projectId, provider: "gemini" });
    await vi.waitFor(async () =>
      expect((await tenant.show(two.id)).waiting).toMatchObject({ reason: "no_capacity" }),
    );

    (first as RunControl | null)?.finish();

    expect(await tenant.until(one.id, ...final)).toMatchObject({ status: "completed" });
    expect(await tenant.until(two.id, ...final)).toMatchObject({ status: "completed" });
  });
});
