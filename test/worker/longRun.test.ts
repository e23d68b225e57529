import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { slowHeartbeat } from "./counting.ts";
import { messagesOf, readFrames } from "./streams.ts";
import { newTenant, tickFor, withRunner } from "./world.ts";

const minuteMs = 60_000;
const heartbeatSeconds = 30;

afterEach(() => {
  vi.useRealTimers();
});

/** A running task, and a clock that stands still until the supervisor's own alarm moves it. */
async function startRun() {
  slowHeartbeat(heartbeatSeconds);
  const controls: RunControl[] = [];
  withRunner().onRun = (run) => void controls.push(run);
  const tenant = await newTenant();
  const { id } = await tenant.submit({ projectId: await tenant.project(), provider: "gemini" });
  await tenant.until(id, "running");
  vi.setSystemTime(Date.now());
  const [control] = controls;
  if (control === undefined) return expect.fail("the run has not begun");
  return { tenant, id, control, startedAtMs: Date.now() };
}

const objectOf = (organizationId: string, id: string) =>
  env.SUPERVISOR.getByName(`${organizationId}/${id}`);

/** Moves the clock to the next alarm, which has to be set, and has it ring. */
async function ringNextAlarm(object: DurableObjectStub): Promise<void> {
  const atMs = await runInDurableObject(object, (_, state) => state.storage.getAlarm());
  if (atMs === null) return expect.fail("no alarm is set: the supervisor would never wake up");
  vi.setSystemTime(Math.max(Date.now(), atMs));
  await runDurableObjectAlarm(object);
}

describe("a run of 45 minutes", () => {
  it("has all its events in order, though its supervisor is evicted nine times", async () => {
    const { tenant, id, control, startedAtMs } = await startRun();
    const object = objectOf(tenant.organizationId, id);
    const said: string[] = [];
    let looks = 0;

    for (; Date.now() < startedAtMs + 45 * minuteMs; looks += 1) {
      for (const part of ["a", "b", "c"]) {
        said.push(`${looks}${part}`);
        control.emit({ type: "message", role: "assistant", text: `${looks}${part}` });
      }
      if (looks % 10 === 9) await evictDurableObject(object);
      if (looks % 30 === 0) await tickFor(id);
      await ringNextAlarm(object);
    }
    expect((await tenant.show(id)).status).toBe("running");
    control.finish();
    await ringNextAlarm(object);

    expect(looks).toBeGreaterThanOrEqual((45 * 60) / heartbeatSeconds);
    expect(await tenant.show(id)).toMatchObject({ status: "completed", fence: 1 });
    const frames = await readFrames(await tenant.call("GET", `/api/v1/tasks/${id}/events`));
    const ids = frames.filter(({ event }) => event !== "end").map(({ id: at }) => at);
    expect(ids).toEqual(ids.map((_, index) => `1-${index + 1}`));
    expect(messagesOf(frames)).toEqual([...said, "Done."]);
  });
});
