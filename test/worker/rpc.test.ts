import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { providerNames } from "../../orchestrator/worker/services/ai-providers/registry.ts";
import type { AIProviderOpsContract, TaskOpsContract } from "../../shared/contracts/providerOps.ts";
import { newTenant, withRunner } from "./world.ts";

type Bound<T> = (options: { props: unknown }) => T;
const providerOps = exports.AIProviderOps as unknown as Bound<AIProviderOpsContract> &
  AIProviderOpsContract;
const taskOps = exports.TaskOps as unknown as Bound<TaskOpsContract>;

let tenant: Awaited<ReturnType<typeof newTenant>>;
let ops: AIProviderOpsContract;
let tasks: TaskOpsContract;
let projectId: string;

beforeEach(async () => {
  withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
  const props = { organization: tenant.organizationId, factory: "builder" };
  ops = providerOps({ props });
  tasks = taskOps({ props });
});

const created = async (request = {}) => {
  const result = await tasks.createTask({ projectId, prompt: "Rename add.", ...request });
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

describe("a service binding", () => {
  it.each([
    ["no props", undefined],
    ["empty props", {}],
    ["no factory", { organization: "org_a" }],
    ["a surplus role", { organization: "org_a", factory: "builder", role: "admin" }],
    ["a factory that is no name", { organization: "org_a", factory: "../x" }],
  ])("with %s is refused", async (_name, props) => {
    const bound = props === undefined ? providerOps : providerOps({ props });
    expect(await bound.getProviderStatus("gemini")).toMatchObject({
      ok: false,
      error: { code: "unauthenticated" },
    });
  });

  it("sees the tasks of its own organization only", async () => {
    const task = await created();
    const other = await newTenant();
    const stranger = taskOps({ props: { organization: other.organizationId, factory: "builder" } });

    expect(await stranger.getTask(task.id)).toMatchObject({ error: { code: "task_not_found" } });
    expect(await stranger.cancelTask(task.id)).toMatchObject({ error: { code: "task_not_found" } });
  });
});

describe("AIProviderOps", () => {
  it("assigns a provider to a task that waits, and keeps to it", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await created();

    const assigned = await ops.assignProvider(id, "gemini");

    expect(assigned).toMatchObject({
      ok: true,
      value: { kind: "decided", decision: { kind: "assign", provider: "gemini" } },
    });
    expect((await tenant.show(id)).log.map(({ message }) => message)).toContain(
      "factory:builder chose gemini.",
    );
  });

  it("says why it does not assign, and leaves the task as it was", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await created();

    const assigned = await ops.assignProvider(id, "claude-code");

    expect(assigned).toMatchObject({
      ok: true,
      value: { decision: { kind: "none", because: expect.stringContaining("no key") } },
    });
    expect(await ops.executeTask(id, "claude-code")).toMatchObject({
      ok: false,
      error: { code: "provider_unavailable" },
    });
  });

  it("answers the present state of a task that is dispatched already", async () => {
    const { id } = await created();
    const done = await tenant.until(id, "completed");

    expect(await ops.executeTask(id, "gemini")).toMatchObject({
      ok: true,
      value: { id, status: "completed", updatedAtMs: done.updatedAtMs },
    });
    expect(await ops.assignProvider(id)).toMatchObject({
      value: { kind: "already_assigned", provider: "gemini", fence: 1 },
    });
  });

  it("tells of providers", async () => {
    const { id } = await created();
    expect(await ops.getProviderStatus("gemini")).toMatchObject({
      ok: true,
      value: { available: true, type: "cli", capabilities: { cancel: "confirmed" } },
    });
    expect(await ops.listAvailableProviders(id)).toMatchObject({
      ok: true,
      value: {
        considered: [...providerNames, "acme"].map((provider) => ({ provider })),
      },
    });
  });

  it("refuses unknown providers and tasks with their codes", async () => {
    const { id } = await created();
    for (const [answer, code] of [
      [await ops.assignProvider(id, "skynet"), "unknown_provider"],
      [await ops.assignProvider("task_unknown"), "task_not_found"],
      [await ops.executeTask("task_unknown"), "task_not_found"],
      [await ops.listAvailableProviders("task_unknown"), "task_not_found"],
      [await ops.getProviderStatus("skynet"), "provider_not_found"],
      [await ops.assignProvider(7 as never), "invalid_request"],
      [await ops.getProviderStatus({ toString: () => "gemini" } as never), "invalid_request"],
    ] as const)
      expect(answer).toMatchObject({ ok: false, error: { code } });
  });
});

describe("TaskOps", () => {
  it("creates, shows and cancels as the factory that it is", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const task = await created();

    expect(await tasks.getTask(task.id)).toMatchObject({
      ok: true,
      value: { createdBy: "factory:builder", prompt: "Rename add." },
    });
    expect(await tasks.cancelTask(task.id)).toMatchObject({
      ok: true,
      value: { status: "cancelled" },
    });
  });

  it("makes one task of one key", async () => {
    const request = { projectId, prompt: "Once." };
    const one = await tasks.createTask(request, "key");
    const two = await tasks.createTask(request, "key");
    expect(two).toEqual(one);
    expect(await tasks.createTask({ ...request, prompt: "Other." }, "key")).toMatchObject({
      error: { code: "idempotency_conflict" },
    });
  });
});
