import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import worker from "../../orchestrator/worker/index.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { messageOf } from "./messages.ts";
import { newTenant, withRunner } from "./world.ts";

type Tenant = Awaited<ReturnType<typeof newTenant>> & { projectId: string };

let runner: FakeRunner;
let controls: RunControl[];
let tenant: Tenant;

const newTenantWithProject = async (settings = {}): Promise<Tenant> => {
  const made = await newTenant();
  return { ...made, projectId: await made.project(settings) };
};

beforeEach(async () => {
  runner = withRunner();
  controls = [];
  runner.onRun = (run) => void controls.push(run);
  tenant = await newTenantWithProject();
});

// What a test leaves behind must not take the slots of the next one.
afterEach(async () => {
  await settleFillers();
  await env.DB.prepare(
    "update tasks set status = 'cancelled', sweep_at_ms = null where status = 'queued'",
  ).run();
  runner.onRun = (run) => run.finish();
  for (const run of controls) run.finish();
  await vi.waitFor(async () => expect(await countLive()).toBe(0), 10_000);
});

const submit = ({ projectId, submit }: Tenant, request = {}) =>
  submit({ projectId, provider: "gemini", ...request });
const waitsFor = (of: Tenant, id: string, reason: string) =>
  vi.waitFor(async () =>
    expect(await of.show(id)).toMatchObject({ status: "queued", waiting: { reason } }),
  );
const countLive = () =>
  env.DB.prepare(
    "select count(*) as n from ai_provider_executions where settled_at_ms is null",
  ).first<number>("n");

/** The deployment has 100 slots; all but these are taken by executions that nobody works on. */
async function leaveSlots(slots: number, filler?: Tenant): Promise<void> {
  const { organizationId, ...calls } = filler ?? (await newTenantWithProject());
  await calls.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
  const { id } = await submit({ organizationId, ...calls });
  await calls.call("POST", `/api/v1/tasks/${id}/cancel`);
  await calls.call("PUT", "/api/v1/providers/gemini", {});
  await env.DB.prepare(
    `insert into ai_provider_executions (organization_id, task_uuid, fence, execution_id,
       provider_name, status, input, created_at_ms)
     with recursive fences(fence) as (
       select 1 union all select fence + 1 from fences where fence < ?)
     select ?, ?, fence, 'exec_filler', 'gemini', 'running', '{}', 1 from fences`,
  )
    .bind(100 - slots, organizationId, id)
    .run();
}

/** Frees some of the slots that nobody works in; nobody hears of it. */
const settleFillers = (count = 100) =>
  env.DB.prepare(
    `update ai_provider_executions set settled_at_ms = 1 where (task_uuid, fence) in (
       select task_uuid, fence from ai_provider_executions
       where execution_id = 'exec_filler' and settled_at_ms is null limit ?)`,
  )
    .bind(count)
    .run();

/** So many copies of a queued task, each of an order of its own; no message tells of them. */
async function copyTask({ organizationId }: Tenant, id: string, copies: number): Promise<void> {
  const { results } = await env.DB.prepare("select * from tasks where id = ?").bind(id).all();
  const columns = Object.keys(results[0] ?? {});
  const values = columns.map((name) => {
    if (name === "id") return "id || '_' || n";
    return name === "order_id" ? "order_id || n" : name;
  });
  await env.DB.prepare(
    `insert into tasks (${columns.join()})
     with recursive copies(n) as (select 1 union all select n + 1 from copies where n < ?)
     select ${values.join()} from tasks, copies where organization_id = ? and id = ?`,
  )
    .bind(copies, organizationId, id)
    .run();
}

/** Has the consumer take a message, and tells what the queue is told. */
async function deliver({ organizationId }: Tenant, ...ids: string[]) {
  const messages = ids.map((id, index) => ({
    id: `message-${index}`,
    timestamp: new Date(),
    attempts: 1,
    body: messageOf(organizationId, id),
  }));
  const batch = createMessageBatch("ai-provider-tasks", messages);
  await worker.queue(batch as MessageBatch<unknown>, env);
  return getQueueResult(batch, createExecutionContext());
}

const countBegun = ({ organizationId }: Tenant) =>
  env.DB.prepare("select count(*) as n from tasks where organization_id = ? and fence > 0")
    .bind(organizationId)
    .first<number>("n");

describe("an organization with hundreds of queued tasks", () => {
  it("leaves the next free slot to one that has a single task", async () => {
    await leaveSlots(1);
    const one = await submit(tenant);
    await tenant.until(one.id, "running");
    const next = await submit(tenant);
    await waitsFor(tenant, next.id, "no_capacity");
    await copyTask(tenant, next.id, 300);
    const other = await newTenantWithProject();
    const theirs = await submit(other);
    await waitsFor(other, theirs.id, "no_capacity");

    controls[0]?.finish();

    await other.until(theirs.id, "running");
    expect(await countBegun(tenant)).toBe(1);
  });

  it("leaves a slot to the other's task also when its own message finds it free", async () => {
    await leaveSlots(0);
    const mine = await submit(tenant);
    await waitsFor(tenant, mine.id, "no_capacity");
    await copyTask(tenant, mine.id, 300);
    await env.DB.prepare("update organizations set last_claim_at_ms = 5 where id = ?")
      .bind(tenant.organizationId)
      .run();
    const other = await newTenantWithProject();
    const theirs = await submit(other);
    await waitsFor(other, theirs.id, "no_capacity");
    await settleFillers(1);

    await deliver(tenant, mine.id, `${mine.id}_1`, `${mine.id}_2`);

    await other.until(theirs.id, "running");
    expect(await countBegun(tenant)).toBe(0);
  });

  it("takes turns with the others, whoever has sent more", async () => {
    await leaveSlots(0);
    const other = await newTenantWithProject();
    const order: string[] = [];
    runner.onRun = (run) => {
      order.push(mine.includes(run.request.taskId) ? "mine" : "theirs");
      run.finish({ patch: null });
    };
    const mine: string[] = [];
    for (let n = 0; n < 4; n += 1) mine.push((await submit(tenant)).id);
    const theirs = [(await submit(other)).id, (await submit(other)).id];
    for (const id of mine) await waitsFor(tenant, id, "no_capacity");
    for (const id of theirs) await waitsFor(other, id, "no_capacity");
    await settleFillers(1);

    await deliver(tenant, mine[0] ?? "");

    await vi.waitFor(() => expect(order).toHaveLength(6), 15_000);
    expect(order.slice(0, 4).sort()).toEqual(["mine", "mine", "theirs", "theirs"]);
    expect(order[0]).not.toBe(order[1]);
  });

  it("is not passed over for one whose task waits for a time", async () => {
    runner.misbehave = () => {
      throw new TypeError("connection refused");
    };
    const one = await submit(tenant);
    await waitsFor(tenant, one.id, "provider_unavailable");
    runner.misbehave = () => undefined;
    const other = await newTenantWithProject();
    await other.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const two = await submit(other);
    await waitsFor(other, two.id, "no_capacity");

    const next = await compose(env).tasks.nextWaiting(Date.now(), 1);

    expect(next).toEqual([{ organizationId: other.organizationId, taskId: two.id }]);
  });
});

describe("a cap", () => {
  const startTwo = async (of: Tenant) => {
    const one = await submit(of);
    await of.until(one.id, "running");
    const two = await submit(of);
    return [one.id, two.id] as const;
  };
  const freesItsSlot = async (of: Tenant, second: string) => {
    controls[0]?.finish();
    await of.until(second, "running");
  };

  it("of a project makes its next task wait, and the freed slot starts it", async () => {
    const capped = await newTenantWithProject({ maxLive: 1 });
    const [, second] = await startTwo(capped);

    await waitsFor(capped, second, "project_capacity");

    await freesItsSlot(capped, second);
  });

  it("of a project leaves the other projects of its organization alone", async () => {
    const capped = await newTenantWithProject({ maxLive: 0 });
    const waiting = await submit(capped);
    await waitsFor(capped, waiting.id, "project_capacity");

    const free = await submit(capped, { projectId: await capped.project() });

    await capped.until(free.id, "running");
  });

  it("of an organization makes its next task wait, and the freed slot starts it", async () => {
    await leaveSlots(1, tenant);
    const [, second] = await startTwo(tenant);

    await waitsFor(tenant, second, "organization_capacity");

    await freesItsSlot(tenant, second);
  });

  it("of a provider counts the runs of its own organization alone", async () => {
    const other = await newTenantWithProject();
    const theirs = await submit(other);
    await other.until(theirs.id, "running");
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 1 } });

    const mine = await submit(tenant);

    await tenant.until(mine.id, "assigned", "running");
  });

  it("of a provider is shown beside the runs of its own organization alone", async () => {
    const other = await newTenantWithProject();
    const theirs = await submit(other);
    await other.until(theirs.id, "running");

    const shown = await tenant.call("GET", "/api/v1/providers/gemini");

    expect(await shown.json()).toMatchObject({ liveExecutions: 0 });
  });
});

describe("a message of a task that waits for a slot", () => {
  it("is taken each time it comes, so that waiting uses up none of its deliveries", async () => {
    await leaveSlots(0);
    const { id } = await submit(tenant);
    await waitsFor(tenant, id, "no_capacity");

    for (let delivery = 0; delivery < 8; delivery += 1) {
      const { explicitAcks, retryMessages } = await deliver(tenant, id);
      expect({ explicitAcks, retryMessages }).toEqual({
        explicitAcks: ["message-0"],
        retryMessages: [],
      });
    }

    expect(await tenant.show(id)).toMatchObject({ status: "queued", fence: 0 });
    await settleFillers(1);
    await deliver(tenant, id);
    await tenant.until(id, "running");
  });
});
