import {
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl } from "../fakes/fakeRuns.ts";
import { slowHeartbeat } from "./counting.ts";
import { codeOf } from "./envelopes.ts";
import { messagesOf, readFrames } from "./streams.ts";
import { later, newTenant, newToken, tickFor, untilIdle, withRunner } from "./world.ts";

const dayMs = 24 * 3_600_000;

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

// A supervisor looks when a test has it look, not by itself.
beforeAll(() => slowHeartbeat());

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
});

afterEach(() => {
  vi.useRealTimers();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const objectOf = (id: string) => env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);
const look = (id: string) => runDurableObjectAlarm(objectOf(id));
const lookUntil = (id: string, ...statuses: string[]) =>
  vi.waitFor(
    async () => {
      await look(id);
      const task = await tenant.show(id);
      expect(statuses).toContain(task.status);
      return task;
    },
    { timeout: 10_000, interval: 30 },
  );
const submit = async (settings = {}) =>
  (await tenant.submit({ projectId: await tenant.project(settings), provider: "gemini" })).id;
const cancel = (id: string) => tenant.call("POST", `/api/v1/tasks/${id}/cancel`);
const busy = () =>
  Response.json({ ok: false, error: { code: "busy", message: "busy" } }, { status: 409 });
const asked = (method: string, path: string) =>
  runner.requests.filter((line) => line.startsWith(`${method} ${path}`)).length;

describe("a second try of a patch", () => {
  it("that finds a conflict ends its task", async () => {
    const tries: PatchControl[] = [];
    runner.onPatch = (patch) => {
      tries.push(patch);
      const fault = { index: 0, file: "src/math.js", code: "stale" as const, message: "moved" };
      if (patch.request.fence === 1) patch.applied();
      else patch.finish({ kind: "refused", faults: [fault] });
    };
    const id = await submit();
    await tenant.until(id, "validating");

    tries[0]?.stop("shutdown");

    expect(await lookUntil(id, ...final)).toMatchObject({
      status: "escalated",
      outcome: { code: "conflict" },
      patch: { status: "conflict" },
    });
    expect(tries).toHaveLength(2);
  });
});

describe("a cancel", () => {
  it("that comes while the start is refused leaves no agent behind", async () => {
    let isRefused = true;
    runner.misbehave = (method, path) =>
      method === "PUT" && path.startsWith("/runs/") && isRefused ? busy() : undefined;
    runner.onRun = () => {};
    const id = await submit();
    await vi.waitFor(() => expect(asked("PUT", "/runs/")).toBeGreaterThan(0));

    // Its poke is lost; the supervisor's next look has to find it.
    await env.DB.prepare("update tasks set cancel_requested_at_ms = 1 where id = ?").bind(id).run();
    isRefused = false;

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "cancelled" });
    expect(runner.runs.size).toBe(0);
  });

  it("does not wait for a patch runner that is busy with another patch", async () => {
    runner.misbehave = (method, path) =>
      method === "PUT" && path.startsWith("/patches/") ? busy() : undefined;
    const id = await submit();
    await tenant.until(id, "patching");
    await vi.waitFor(() => expect(asked("PUT", "/patches/")).toBeGreaterThan(0));

    await cancel(id);

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "cancelled" });
    expect(asked("POST", "/patches/")).toBe(0);
  });

  it("does not wait for long for a patch runner that cannot be reached", async () => {
    runner.misbehave = (_method, path) => {
      if (path.startsWith("/patches/")) throw new TypeError("connection refused");
      return undefined;
    };
    const id = await submit();
    await tenant.until(id, "patching");

    await cancel(id);
    await look(id);
    later(60_000);

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "cancelled", commit: null });
  });
});

describe("the paths that a task asks for", () => {
  it("narrow what its project allows and do not widen it", async () => {
    const projectId = await tenant.project({ allowedPaths: ["docs/**"] });
    const member = await newToken(tenant.organizationId, "member");

    const { id } = await member.submit({ projectId, provider: "gemini", allowedPaths: ["**"] });

    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "escalated", outcome: { code: "patch_rejected" } });
    expect(task.patch?.faults).toMatchObject([{ code: "path_not_allowed" }]);
    expect(runner.patches.size).toBe(0);
  });
});

describe("a supervisor whose task is over", () => {
  it("forgets it after a day, and can be asked on in the same life", async () => {
    const id = await submit();
    await tenant.until(id, ...final);
    await untilIdle(objectOf(id));
    const before = await readFrames(await tenant.call("GET", `/api/v1/tasks/${id}/events`));
    later(dayMs + 60_000);
    await look(id);
    vi.useRealTimers();

    const answer = await tenant.call("GET", `/api/v1/tasks/${id}/events`);

    expect(answer.status).toBe(200);
    expect(await readFrames(answer)).toEqual(before);
  });
});

describe("a supervisor whose task goes on later", () => {
  it("keeps the events of its earlier attempts, however long that takes", async () => {
    runner.onRun = (run) => {
      run.emit({ type: "message", role: "assistant", text: `attempt ${run.request.fence}` });
      if (run.request.fence > 1) return run.finish();
      run.finish({ error: { kind: "overloaded", status: 529, message: "later" } });
    };
    const id = await submit();
    await vi.waitFor(async () =>
      expect(await tenant.show(id)).toMatchObject({ waiting: { reason: "retry" } }),
    );
    await untilIdle(objectOf(id));
    later(2 * dayMs);
    await look(id);
    vi.useRealTimers();
    await evictDurableObject(objectOf(id));

    await tickFor(id);

    await lookUntil(id, "completed");
    const said = ["attempt 1", "Done.", "attempt 2", "Done."];
    const frames = await readFrames(await tenant.call("GET", `/api/v1/tasks/${id}/events`));
    expect(messagesOf(frames)).toEqual(said);
    await untilIdle(objectOf(id));
    await runInDurableObject(objectOf(id), (_, { storage }) => storage.deleteAll());
    await evictDurableObject(objectOf(id));
    const kept = await readFrames(await tenant.call("GET", `/api/v1/tasks/${id}/events`));
    expect(messagesOf(kept)).toEqual(said);
  });
});

describe("a doorbell", () => {
  const ring = (id: string, init: RequestInit) =>
    exports.default.fetch(
      `https://switchyard.test/runner/v1/doorbell/${tenant.organizationId}/${id}`,
      { method: "POST", ...init },
    );
  const json = (body: string) => ({ headers: { "content-type": "application/json" }, body });

  it("that a stranger rings calls no object into being", async () => {
    const before = await listDurableObjectIds(env.SUPERVISOR);

    for (const id of ["task_x1", "task_x2"])
      expect((await ring(id, json('{"token":"guess"}'))).status).toBe(204);

    expect(await listDurableObjectIds(env.SUPERVISOR)).toHaveLength(before.length);
  });

  it.each([
    ["without a body", {}, "422 invalid_request"],
    ["with a body that is no JSON", json("token"), "400 malformed_json"],
    ["without a token", json("{}"), "422 invalid_request"],
  ])("%s is the caller's mistake", async (_name, init, code) => {
    expect(await codeOf(await ring("task_x", init))).toBe(code);
  });
});

describe("an idempotency key", () => {
  const expire = () =>
    env.DB.prepare("update idempotency_records set expires_at_ms = 1 where organization_id = ?")
      .bind(tenant.organizationId)
      .run();
  const countKeys = () =>
    env.DB.prepare("select count(*) as n from idempotency_records where organization_id = ?")
      .bind(tenant.organizationId)
      .first<number>("n");
  const key = { "idempotency-key": "order-1" };

  it("is free for another task when its time is over", async () => {
    const projectId = await tenant.project();
    const one = await tenant.submit({ projectId }, key);
    await expire();

    const two = await tenant.submit({ projectId, prompt: "Rename sum to add." }, key);

    expect(two.id).not.toBe(one.id);
    expect(two.status).toBe("queued");
    expect(await countKeys()).toBe(1);
    expect((await tenant.submit({ projectId, prompt: "Rename sum to add." }, key)).id).toBe(two.id);
  });

  it("is forgotten by the tick when its time is over, and not before", async () => {
    const projectId = await tenant.project();
    await tenant.submit({ projectId }, key);
    await tick(compose(env));
    expect(await countKeys()).toBe(1);

    await expire();
    await tick(compose(env));

    expect(await countKeys()).toBe(0);
  });
});
