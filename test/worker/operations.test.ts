import { runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl, RunControl } from "../fakes/fakeRuns.ts";
import { operations, slowHeartbeat, startCounting } from "./counting.ts";
import {
  operationsOfOneMinute,
  operationsOfOneTask,
  operationsOfTwoOutputs,
} from "./expectedOperations.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let run: RunControl;
let patch: PatchControl;
let tenant: Awaited<ReturnType<typeof newTenant>>;

beforeEach(async () => {
  slowHeartbeat();
  runner = withRunner();
  runner.onRun = (control) => {
    run = control;
  };
  runner.onPatch = (control) => {
    patch = control;
  };
  tenant = await newTenant();
});

/** The runner's bell, rung as a runner rings it. */
const ring = async (doorbell: { url: string; token: string } | undefined) => {
  await exports.default.fetch(doorbell?.url ?? "", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: doorbell?.token }),
  });
};

/** Looks at the runner, which counts nothing, instead of at the task. */
const started = (things: () => number) =>
  vi.waitFor(() => expect(things()).toBe(1), { timeout: 10_000, interval: 5 });

const untilRunning = (id: string) =>
  vi.waitFor(
    async () => {
      const row = await env.DB.prepare("select status from tasks where id = ?").bind(id).first();
      expect(row).toEqual({ status: "running" });
    },
    { interval: 5 },
  );

/** From a call of a client to a commit; each text is what a command prints beyond its tail. */
async function playOneTask(texts: readonly string[]): Promise<{ id: string }> {
  const command = { name: "test", argv: ["npm", "test"], timeoutMs: 1000 };
  const projectId = await tenant.project({ validation: [command] });
  startCounting();
  const { id } = await tenant.submit({ projectId, provider: "gemini" }, { "idempotency-key": "k" });
  await started(() => runner.runs.size);
  await untilRunning(id);
  run.finish();
  await ring(run.request.doorbell);
  await started(() => runner.patches.size);
  patch.applied();
  await ring(patch.request.doorbell);
  const commands = texts.map((text, at) => {
    patch.print(at, text);
    const verdict = { ...command, status: "passed" as const, exitCode: 0, durationMs: 5 };
    return { ...verdict, tail: "", output: { bytes: text.length, cut: false } };
  });
  patch.finish({
    kind: "applied",
    treeId: "7".repeat(40),
    baseCommit: "b".repeat(40),
    validation: { status: "passed", commands },
  });
  await ring(patch.request.doorbell);
  return { id };
}

describe("the operations of one task", () => {
  it("are these, when nothing goes wrong and nobody watches", async () => {
    await playOneTask([]);

    expect(operations()).toEqual(operationsOfOneTask);
  });

  it("are a few more where a command printed more than its tail holds", async () => {
    const text = "a line\n".repeat(2_000);

    const { id } = await playOneTask([text, text]);

    const { r2, durableObject, ...others } = operations();
    const { r2: before, durableObject: beforeOfObject, ...othersBefore } = operationsOfOneTask;
    expect(others).toEqual(othersBefore);
    expect({
      r2Writes: r2.writes - before.writes,
      r2Reads: r2.reads - before.reads,
      objectRows: durableObject.rowsWritten - beforeOfObject.rowsWritten,
    }).toEqual(operationsOfTwoOutputs);
    const prefix = `${tenant.organizationId}/${id}/validation/`;
    const { objects } = await env.ARTIFACTS.list({ prefix });
    expect(objects.map(({ size }) => size)).toEqual([text.length, text.length]);
  });

  it("of a minute in which the agent works and nobody watches, are these", async () => {
    const projectId = await tenant.project();
    const { id } = await tenant.submit({ projectId, provider: "gemini" });
    await untilRunning(id);
    const supervisor = env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);
    startCounting();

    for (let heartbeat = 0; heartbeat < 2; heartbeat += 1) {
      for (let n = 0; n < 100; n += 1)
        run.emit({ type: "message", role: "assistant", text: `thought ${n}` });
      await runDurableObjectAlarm(supervisor);
    }

    const minute = operations();
    run.finish();
    await ring(run.request.doorbell);
    expect(minute).toEqual(operationsOfOneMinute);
  });
});
