import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import { createToken } from "../../orchestrator/worker/services/identity/tokens.ts";
import type { Role } from "../../shared/contracts/identity.ts";
import type { CreateTask, TaskDetail, TaskView } from "../../shared/contracts/task.ts";
import { FakeRunner } from "../fakes/fakeRunner.ts";
import { PatchControl, RunControl } from "../fakes/fakeRuns.ts";

/** A deployment with a fake runner behind it, and helpers that talk to it as callers do. */
export const localRoot = "/repos/sample";

let current = new FakeRunner();

/** The worker's outgoing requests go to the runner of the present test, also from what an earlier one left behind. */
const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = new Request(input as RequestInfo, init);
  return request.url.startsWith(current.url) ? current.fetch(request) : realFetch(request);
};

export function withRunner(): FakeRunner {
  current = new FakeRunner();
  return current;
}

/**
 * Lets everything that tests have left behind come to its end: a message or an alarm that fires while a test file
 * is being taken down keeps vitest from ending.
 */
export async function quiet(): Promise<void> {
  current.agents = {};
  current.onPatch = (patch) => patch.finish();
  for (const run of current.runs.values()) new RunControl(run, Date.now).finish();
  for (const run of current.patches.values()) new PatchControl(run, Date.now).finish();
  await vi.waitFor(
    async () => {
      await env.DB.prepare(
        `update tasks set status = 'cancelled', sweep_at_ms = null
           where status in ('queued', 'parked', 'waiting_input', 'remediating')`,
      ).run();
      const { results } = await env.DB.prepare(
        "select organization_id, id from tasks where status not in ('completed','failed','cancelled','escalated')",
      ).all<{ organization_id: string; id: string }>();
      for (const { organization_id: organizationId, id: taskId } of results)
        await env.SUPERVISOR.getByName(`${organizationId}/${taskId}`).poke({
          organizationId,
          taskId,
        });
      expect(results).toEqual([]);
    },
    { timeout: 20_000, interval: 200 },
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Lets the cron tick come, with the task due for it whatever its time says. */
export async function tickFor(taskId: string): Promise<void> {
  await env.DB.prepare(
    "update tasks set sweep_at_ms = 1, not_before_ms = null where id = ? and sweep_at_ms is not null",
  )
    .bind(taskId)
    .run();
  await tick(compose(env));
}

/** Waits until a supervisor has nothing more to do for any of its attempts. */
export const untilIdle = (supervisor: DurableObjectStub): Promise<void> =>
  vi.waitFor(
    async () => {
      const phases = await runInDurableObject(supervisor, (_, { storage }) =>
        storage.sql
          .exec<{ phase: string }>("select json_extract(attempt, '$.phase') phase from attempts")
          .toArray()
          .map(({ phase }) => phase),
      );
      expect(phases).toEqual(phases.map(() => "done"));
    },
    { timeout: 10_000, interval: 30 },
  );

/** Moves the clock on; from then on it stands still until `vi.useRealTimers()`. */
export const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

let organizations = 0;

/** A new organization with a token of that role. */
export async function newTenant(role: Role = "admin", named?: string) {
  organizations += 1;
  const organizationId = named ?? `org_test${organizations}_${crypto.randomUUID().slice(0, 8)}`;
  await env.DB.prepare(
    "insert or ignore into organizations (id, name, created_at_ms) values (?, ?, ?)",
  )
    .bind(organizationId, organizationId, Date.now())
    .run();
  return { organizationId, ...(await newToken(organizationId, role)) };
}

export async function newToken(organizationId: string, role: Role, principal = "user:ada") {
  const admin = { id: "user:root", organizationId, role: "admin" as const };
  const { token } = await createToken(compose(env), admin, { principal, role });
  return { token, ...callsOf(token) };
}

function callsOf(token: string) {
  const call = (method: string, path: string, body?: unknown, headers: HeadersInit = {}) =>
    exports.default.fetch(`https://switchyard.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    call,
    /** A bad patch ends its task at once, where the settings say nothing else. */
    async project(settings = {}) {
      const response = await call("POST", "/api/v1/projects", {
        name: `p-${crypto.randomUUID().slice(0, 8)}`,
        source: { kind: "local", path: localRoot },
        settings: { remediation: { depth: 0 }, ...settings },
      });
      return (await response.json<{ id: string }>()).id;
    },
    async submit(request: Partial<CreateTask> & { projectId: string }, headers: HeadersInit = {}) {
      const body = { prompt: "Rename add to sum.", ...request };
      const response = await call("POST", "/api/v1/tasks", body, headers);
      return response.json<TaskView>();
    },
    async show(id: string) {
      return (await call("GET", `/api/v1/tasks/${id}`)).json<TaskDetail>();
    },
    /** Looks until the task has one of these statuses; the world moves by itself. */
    async until(id: string, ...statuses: string[]) {
      return vi.waitFor(
        async () => {
          const task = await (await call("GET", `/api/v1/tasks/${id}`)).json<TaskDetail>();
          if (!statuses.includes(task.status)) throw new Error(`task is ${task.status}`);
          return task;
        },
        { timeout: 10_000, interval: 30 },
      );
    },
  };
}
