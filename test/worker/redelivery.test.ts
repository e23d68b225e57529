import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import type { doorbellSchema } from "../../shared/contracts/runner.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { seal } from "./auditKit.ts";
import {
  type Delivery,
  deliver,
  messageOf,
  recordedDeliveries,
  startRecording,
} from "./messages.ts";
import { newTenant, tickFor, withRunner } from "./world.ts";

const final = ["completed", "failed", "cancelled", "escalated"];
const dayMs = 24 * 3_600_000;

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
  startRecording();
});

afterEach(() => {
  vi.useRealTimers();
});

const submit = (request = {}) => tenant.submit({ projectId, provider: "gemini", ...request });
const cancel = (id: string) => tenant.call("POST", `/api/v1/tasks/${id}/cancel`);
const objectOf = (id: string) => env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);

/** Every way to end, each of them gone once; it answers the task. */
const histories: Record<string, () => Promise<string>> = {
  completed: async () => (await submit()).id,

  "completed at the second attempt": async () => {
    runner.onRun = (run) =>
      run.finish(
        run.request.fence === 1 ? { error: { kind: "overloaded", status: 529, message: "" } } : {},
      );
    const { id } = await submit();
    await vi.waitFor(async () =>
      expect(await tenant.show(id)).toMatchObject({ status: "queued", fence: 1 }),
    );
    await tickFor(id);
    return id;
  },

  failed: async () => {
    runner.onRun = (run) => run.finish({ terminal: null });
    return (await submit()).id;
  },

  "cancelled in the middle of its run": async () => {
    runner.onRun = () => {};
    const { id } = await submit();
    await tenant.until(id, "running");
    await cancel(id);
    return id;
  },

  "cancelled before it began": async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await submit();
    await cancel(id);
    return id;
  },

  "escalated for its patch": async () => {
    runner.onPatch = (patch) => patch.finish({ kind: "engine_mismatch", message: "other bytes" });
    return (await submit()).id;
  },

  "escalated as a dead letter": async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await submit();
    await deliver("ai-provider-tasks-dlq", messageOf(tenant.organizationId, id));
    return id;
  },
};

type Doorbell = import("zod").z.infer<typeof doorbellSchema>;

/** What a runner rang in this history: every run of an agent or of a patch has a doorbell. */
const doorbells = (): Doorbell[] =>
  [...runner.runs.values(), ...runner.patches.values()].flatMap(({ request }) => {
    const { doorbell } = request as { doorbell?: Doorbell };
    return doorbell === undefined ? [] : [doorbell];
  });

async function ring({ url, token }: Doorbell): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await exports.default.fetch(url, {
    method: "POST",
    headers,
    body: JSON.stringify({ token }),
  });
  expect(answer.status).toBe(204);
}

/** Every row of every table that there is. */
async function dump(): Promise<unknown> {
  const { results: tables } = await env.DB.prepare(
    `select name from sqlite_master where type = 'table'
       and name not like 'sqlite_%' and name not like '_cf_%' order by name`,
  ).all<{ name: string }>();
  const rows = await env.DB.batch(
    tables.map(({ name }) => env.DB.prepare(`select * from "${name}"`)),
  );
  return Object.fromEntries(tables.map(({ name }, index) => [name, rows[index]?.results]));
}

async function untilAtRest(id: string): Promise<void> {
  await tenant.until(id, ...final);
  for (const doorbell of doorbells()) await ring(doorbell);
  await runDurableObjectAlarm(objectOf(id));
}

async function sendAllAgain(deliveries: readonly Delivery[]): Promise<void> {
  for (const { queue, body } of deliveries) await deliver(queue, body);
  for (const doorbell of doorbells()) await ring(doorbell);
  await tick(compose(env));
}

describe("a history that is over changes no row when all that came comes again", () => {
  it.each(Object.keys(histories))("%s", async (name) => {
    const id = await histories[name]?.();
    if (id === undefined) return expect.fail("there is no such history");
    await untilAtRest(id);
    // Any message can also end as a dead letter.
    const messages = recordedDeliveries().concat({
      queue: "ai-provider-tasks-dlq",
      body: messageOf(tenant.organizationId, id),
    });
    // What was written is sealed by the next tick and anchored within a day, whatever comes again.
    await seal(1);
    const before = await dump();
    expect(JSON.stringify(before)).toContain(id);

    await sendAllAgain(messages);
    expect(await dump()).toEqual(before);

    // The supervisor forgets its task a day later; the world does not.
    vi.setSystemTime(Date.now() + 2 * dayMs);
    await runDurableObjectAlarm(objectOf(id));
    await sendAllAgain(messages);
    expect(await dump()).toEqual(before);
    await runInDurableObject(objectOf(id), (_, state) => state.storage.deleteAlarm());
  });
});
