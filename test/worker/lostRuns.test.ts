import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { slowHeartbeat } from "./counting.ts";
import { later, newTenant, tickFor, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

// A supervisor looks when a test has it look, not by itself.
beforeAll(() => slowHeartbeat());

beforeEach(async () => {
  runner = withRunner();
  runner.onRun = () => {};
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
const submit = async (limits = {}) =>
  (await tenant.submit({ projectId: await tenant.project(), provider: "gemini", limits })).id;
const start = async (limits = {}) => {
  const id = await submit(limits);
  await tenant.until(id, "running");
  return id;
};
const cancel = (id: string) => tenant.call("POST", `/api/v1/tasks/${id}/cancel`);
const cancels = () => runner.requests.filter((line) => line.endsWith("/cancel")).length;
const firstRun = () => [...runner.runs.values()][0];

const goAway = () => {
  runner.misbehave = () => {
    throw new TypeError("connection refused");
  };
};
const comeBack = () => {
  runner.misbehave = () => undefined;
};
/** It says that the run goes on, whoever asks for its end. */
const neverStop = () => {
  runner.misbehave = (_method, path) =>
    path.endsWith("/cancel")
      ? Response.json({
          ok: true,
          value: { id: firstRun()?.id, fence: 1, state: "live", lastEvent: 0 },
        })
      : undefined;
};

/** A task whose runner was away for so long that its run counts as lost. */
async function startAndLose(): Promise<string> {
  const id = await start();
  goAway();
  await look(id);
  later(60_000);
  await lookUntil(id, "queued");
  vi.useRealTimers();
  return id;
}

describe("a run that is lost since its runner was away", () => {
  it("is ended before the next attempt begins", async () => {
    const id = await startAndLose();
    const older = firstRun();
    comeBack();
    let olderWasLive: boolean | null = null;
    runner.onRun = (run) => {
      olderWasLive = older?.report === null;
      run.finish();
    };

    await tickFor(id);

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "completed", fence: 2 });
    expect(olderWasLive).toBe(false);
    expect(older?.cancelled).toBe("cancel");
  });

  it("keeps the next attempt from beginning until it is known to have ended", async () => {
    const id = await startAndLose();
    neverStop();
    await tickFor(id);
    await tenant.until(id, "assigned");
    await look(id);
    await look(id);
    expect(runner.runs.size).toBe(1);

    comeBack();
    runner.onRun = (run) => run.finish();

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "completed", fence: 2 });
  });

  it("does not keep a cancel of the next attempt waiting", async () => {
    const id = await startAndLose();
    neverStop();
    await tickFor(id);
    await tenant.until(id, "assigned");

    await cancel(id);

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "cancelled", fence: 2 });
    expect(runner.runs.size).toBe(1);
    comeBack();
    await look(id);
    await vi.waitFor(() => expect(firstRun()?.cancelled).toBe("cancel"));
  });
});

describe("a task that nobody cancelled does not end as cancelled", () => {
  it("when its start was not heard of and Switchyard ended what may have begun", async () => {
    const answer = runner.fetch.bind(runner);
    runner.fetch = async (request) => {
      const response = await answer(request);
      const isStart = request.method === "PUT" && request.url.includes("/runs/");
      if (isStart && runner.runs.size === 1) throw new TypeError("connection reset");
      return response;
    };
    const id = await submit();
    await vi.waitFor(() => expect(runner.runs.size).toBe(1));
    await look(id);
    later(3 * 60_000);
    await lookUntil(id, "queued");
    vi.useRealTimers();
    runner.onRun = (run) => run.finish();

    await tickFor(id);

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "completed", fence: 2 });
    expect(firstRun()?.cancelled).toBe("cancel");
  });

  it("when its run tells of a cancel", async () => {
    runner.onRun = (run) => (run.request.fence === 1 ? run.stop("cancel") : run.finish());
    const id = await submit();
    const waiting = await tenant.until(id, "queued", ...final);
    await vi.waitFor(async () =>
      expect((await tenant.show(id)).execution).toMatchObject({ status: "lost" }),
    );
    expect(waiting.cancelRequested).toBe(false);

    await tickFor(id);

    expect(await lookUntil(id, ...final)).toMatchObject({ status: "completed", fence: 2 });
  });
});

describe("a runner that never confirms a stop", () => {
  it("does not keep a task that has reached its limit", async () => {
    const id = await start({ wallClockSeconds: 60, maxAttempts: 1 });
    neverStop();
    later(61_000);
    await look(id);
    later(5_000);

    const task = await lookUntil(id, ...final);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "timed_out" } });
    comeBack();
    await vi.waitFor(async () => {
      await look(id);
      expect(firstRun()?.cancelled).toBe("cancel");
    });
  });

  it("does not keep a task that is cancelled", async () => {
    const id = await start();
    neverStop();
    await cancel(id);
    await vi.waitFor(() => expect(cancels()).toBeGreaterThan(0));
    later(5_000);

    const task = await lookUntil(id, ...final);

    expect(task).toMatchObject({ status: "cancelled", outcome: { code: "cancelled" } });
  });

  it("is not asked in a storm while somebody watches", async () => {
    const id = await start({ wallClockSeconds: 1, maxAttempts: 1 });
    neverStop();
    const stream = await tenant.call("GET", `/api/v1/tasks/${id}/events`);

    await tenant.until(id, "failed");
    await stream.body?.cancel();

    expect(cancels()).toBeGreaterThan(0);
    expect(cancels()).toBeLessThan(10);
  });
});

describe("a database that was away", () => {
  it("is not held against the runner", async () => {
    const id = await start({ maxAttempts: 1 });
    await env.DB.prepare("alter table tasks rename to tasks_away").run();
    await look(id);
    later(5 * 60_000);
    await look(id);
    await env.DB.prepare("alter table tasks_away rename to tasks").run();
    const failures = await runInDurableObject(objectOf(id), (_, { storage }) =>
      storage.sql.exec("select json_extract(attempt, '$.failures') failures from attempts").one(),
    );
    expect(failures).toEqual({ failures: 2 });

    goAway();
    await look(id);
    comeBack();
    await look(id);

    expect((await tenant.show(id)).status).toBe("running");
  });
});
