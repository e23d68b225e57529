import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { codeOf } from "./envelopes.ts";
import { type Frame, messagesOf, readFrames } from "./streams.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let control: RunControl;

beforeEach(async () => {
  runner = withRunner();
  runner.onRun = (run) => {
    control = run;
  };
  tenant = await newTenant();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const say = (text: string) => control.emit({ type: "message", role: "assistant", text });
const objectOf = (id: string) => env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);
const start = async (limits = {}) => {
  const projectId = await tenant.project();
  const { id } = await tenant.submit({ projectId, provider: "gemini", limits });
  await tenant.until(id, "running");
  return id;
};
const watch = (id: string, headers: HeadersInit = {}) =>
  tenant.call("GET", `/api/v1/tasks/${id}/events`, undefined, headers);
const untilSaid = (text: string) => (frames: Frame[]) => messagesOf(frames).includes(text);

describe("a supervisor that is evicted in the middle of a run", () => {
  it("loses no event and doubles none", async () => {
    const id = await start();
    const said: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (let n = 0; n < 20; n += 1) {
        said.push(`${round}.${n}`);
        say(`${round}.${n}`);
      }
      await runDurableObjectAlarm(objectOf(id));
      await evictDurableObject(objectOf(id));
    }
    control.finish();

    const task = await tenant.until(id, ...final);
    const frames = await readFrames(await watch(id));

    expect(task.status).toBe("completed");
    expect(messagesOf(frames)).toEqual([...said, "Done."]);
    const numbers = frames.filter(({ event }) => event !== "end").map(({ id: at }) => at);
    expect(numbers).toEqual(numbers.map((_, index) => `1-${index + 1}`));
  });

  it("goes on by its own alarm", async () => {
    const id = await start();
    await evictDurableObject(objectOf(id));

    control.finish();

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "completed", fence: 1 });
    expect(runner.runs.size).toBe(1);
  });

  it("goes on while its patch is validated", async () => {
    let patch: { finish(): void } | undefined;
    runner.onPatch = (run) => {
      run.applied();
      patch = run;
    };
    const id = await start();
    control.finish();
    await tenant.until(id, "validating");
    await evictDurableObject(objectOf(id));

    patch?.finish();

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "completed" });
    expect(runner.patches.size).toBe(1);
  });
});

describe("the stream of a task's events", () => {
  it("is live, and ends with the task's end", async () => {
    const id = await start();
    const reading = readFrames(await watch(id));
    say("first");
    await vi.waitFor(() => expect(runner.requests.join()).toContain("/events"));
    say("second");
    control.finish();

    const frames = await reading;

    expect(messagesOf(frames)).toEqual(["first", "second", "Done."]);
    const states = frames.filter(({ event }) => event === "state").map(({ data }) => data.task);
    expect(states).toEqual(["running", "patching", "validating", "delivering", "completed"]);
    expect(frames.at(-1)).toMatchObject({
      event: "end",
      data: { task: "completed", outcome: { code: "delivered" } },
    });
  });

  it("shows what an agent says within moments while somebody watches", async () => {
    const id = await start();
    const response = await watch(id);
    const reading = readFrames(response, untilSaid("now"));
    await vi.waitFor(() => expect(runner.requests.some((r) => r.endsWith("/events"))).toBe(true));
    const saidAtMs = Date.now();

    say("now");
    await reading;

    expect(Date.now() - saidAtMs).toBeLessThan(1_000);
    control.finish();
    await tenant.until(id, ...final);
  });

  it("goes on behind Last-Event-ID, without a gap and without a double", async () => {
    const id = await start();
    for (const text of ["a", "b", "c"]) say(text);
    const before = await readFrames(await watch(id), untilSaid("b"));
    const lastSeen = before.find(({ data }) => data.text === "b")?.id ?? "";
    say("d");
    control.finish();
    await tenant.until(id, ...final);

    const after = await readFrames(await watch(id, { "last-event-id": lastSeen }));

    expect(messagesOf(after)).toEqual(["c", "d", "Done."]);
  });

  it("is the same for two watchers, one of them late", async () => {
    const id = await start();
    const one = readFrames(await watch(id));
    say("x");
    control.finish();
    await tenant.until(id, ...final);

    const two = await readFrames(await watch(id));

    expect(await one).toEqual(two);
  });

  it("says how a task ended that never had an agent", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await tenant.submit({ projectId: await tenant.project() });
    const reading = readFrames(await watch(id));

    await tenant.call("POST", `/api/v1/tasks/${id}/cancel`);

    expect(await reading).toMatchObject([{ event: "end", data: { task: "cancelled" } }]);
  });

  it("refuses a position that is none", async () => {
    const id = await start();
    expect(await codeOf(await watch(id, { "last-event-id": "latest" }))).toBe(
      "422 invalid_request",
    );
    control.finish();
    await tenant.until(id, ...final);
  });

  it("comes from the transcript when the supervisor has forgotten the task", async () => {
    const id = await start();
    say("kept");
    control.finish();
    await tenant.until(id, ...final);
    const before = await readFrames(await watch(id));
    await vi.waitFor(async () => {
      const key = `${tenant.organizationId}/${id}/transcript.ndjson`;
      expect(await env.ARTIFACTS.head(key)).not.toBeNull();
    });
    await runInDurableObject(objectOf(id), async (_object, state) => {
      await state.storage.deleteAll();
    });
    await evictDurableObject(objectOf(id));

    const after = await readFrames(await watch(id));

    expect(after).toEqual(before);
    const late = await readFrames(await watch(id, { "last-event-id": before.at(-3)?.id ?? "" }));
    expect(late).toEqual(before.slice(-2));
  });
});

describe("a doorbell", () => {
  const ring = (id: string, token: string) =>
    exports.default.fetch(
      `https://switchyard.test/runner/v1/doorbell/${tenant.organizationId}/${id}`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ token }),
      },
    );

  it("has the supervisor look at once", async () => {
    const id = await start();
    control.finish();

    await ring(id, control.request.doorbell?.token ?? "");

    expect(await tenant.show(id)).toMatchObject({ status: "completed" });
    expect(control.request.doorbell?.url).toBe(
      `https://switchyard.test/runner/v1/doorbell/${tenant.organizationId}/${id}`,
    );
  });

  it("that nobody gave out is not heard, and is told nothing", async () => {
    const id = await start();
    const before = runner.requests.length;

    const answer = await ring(id, "guess");

    expect(answer.status).toBe(204);
    expect(runner.requests).toHaveLength(before);
    expect((await ring("task_unknown", "guess")).status).toBe(204);
    control.finish();
    await tenant.until(id, ...final);
  });
});

describe("an alarm", () => {
  it("never throws and is always armed again, whatever the runner and the database do", async () => {
    const id = await start();
    runner.misbehave = () => {
      throw new TypeError("connection refused");
    };

    for (let n = 0; n < 8; n += 1) await runDurableObjectAlarm(objectOf(id));

    const armed = await runInDurableObject(objectOf(id), (_object, state) =>
      state.storage.getAlarm(),
    );
    expect(armed).not.toBeNull();
    runner.misbehave = () => undefined;
    control.finish();
    await runDurableObjectAlarm(objectOf(id));
    await tenant.until(id, ...final);
  });
});

describe("attempts of one task", () => {
  const ref = (id: string) => ({ organizationId: tenant.organizationId, taskId: id });

  it("with a lower fence than the highest known are refused", async () => {
    const supervisor = objectOf("task_of_nobody");

    expect(await supervisor.start(ref("task_of_nobody"), 3)).toEqual({ kind: "accepted" });
    expect(await supervisor.start(ref("task_of_nobody"), 2)).toEqual({ kind: "stale", fence: 3 });
    expect(await supervisor.start(ref("task_of_nobody"), 3)).toEqual({ kind: "accepted" });
    expect(runner.runs.size).toBe(0);
  });

  it("do not run at the same time: the older one is confirmed gone before the newer begins", async () => {
    const id = await start();
    const [older] = [...runner.runs.values()];
    let olderWasLive: boolean | null = null;
    runner.onRun = (run) => {
      olderWasLive = older?.report === null;
      run.finish();
    };
    await env.DB.batch([
      env.DB.prepare("update tasks set status = 'assigned', fence = 2 where id = ?").bind(id),
      env.DB.prepare(
        `insert into ai_provider_executions
           (organization_id, task_uuid, fence, execution_id, provider_name, status, input, created_at_ms)
         select organization_id, task_uuid, 2, 'exec_second', provider_name, 'pending', input, 1
         from ai_provider_executions where task_uuid = ? and fence = 1`,
      ).bind(id),
    ]);

    await objectOf(id).start(ref(id), 2);

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "completed", fence: 2 });
    expect(olderWasLive).toBe(false);
    expect(older?.cancelled).toBe("cancel");
  });
});
