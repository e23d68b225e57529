import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PatchReport } from "../../shared/contracts/runner.ts";
import type { PatchControl } from "../fakes/fakeRuns.ts";
import { refusal } from "./containers.ts";
import {
  command,
  final,
  reportOf,
  type ValidationWorld,
  validationWorld,
} from "./validationWorld.ts";
import { later } from "./world.ts";

let world: ValidationWorld;

beforeEach(async () => {
  world = await validationWorld();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a container that tells nothing of a patch", () => {
  const endings: [string, (run: PatchControl, id: string) => void][] = [
    ["is gone", (_, id) => world.containers.lose(id)],
    ["was shut down", (run) => run.stop("shutdown")],
    ["had no room", (run) => run.finish({ kind: "fault", code: "internal", message: "No room." })],
    ["judged other commands", (run) => run.finish(reportOf({}))],
    [
      "says passed where a command did not",
      (run) => {
        const { timeoutMs: _, ...of } = command;
        const failed = { ...of, status: "failed" as const, exitCode: 1, durationMs: 1, tail: "" };
        run.finish(reportOf({ validation: { status: "passed", commands: [failed] } }));
      },
    ],
  ];

  it.each(endings)("has another one asked when it %s", async (_, ending) => {
    let left = 1;
    world.containers.onPatch = (run, id) => {
      left -= 1;
      if (left >= 0) ending(run, id);
      else run.finish();
    };

    const task = await world.finish();

    expect(task).toMatchObject({
      status: "completed",
      patch: { validation: { status: "passed" } },
    });
    expect(world.validators().map(([id]) => id.slice(-3))).toEqual(["-v1", "-v2"]);
    expect(task.patch?.validation).toMatchObject({ run: expect.stringMatching(/-v2$/) });
    await world.allClosed();
  });

  it.each(endings)("is no pass: a person is asked after three that %s", async (_, ending) => {
    world.containers.onPatch = (run, id) => ending(run, id);

    const task = await world.finish();

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "runner_fault" } });
    expect(task.outcome?.message).toContain("could not be run in a container");
    expect(task.patch?.validation ?? null).toBeNull();
    expect(world.validators()).toHaveLength(3);
    expect(world.runner.refs.size).toBe(0);
    await world.allClosed();
  });

  it("is asked for again when it cannot be had just then", async () => {
    let left = 2;
    world.containers.onOpen = (id) => {
      if (!/-v1$/.test(id) || left === 0) return null;
      left -= 1;
      return { kind: "not_started", message: "no room" };
    };

    const task = await world.finish();

    expect(task.status).toBe("completed");
    expect(left).toBe(0);
    expect(world.validators()).toHaveLength(1);
  });

  it("is not asked for any more once the project wants no command", async () => {
    world.containers.onOpen = (id) =>
      /-v1$/.test(id) ? { kind: "not_started", message: "no room" } : null;
    const id = await world.submit();
    await world.tenant.until(id, "validating");

    await env.DB.prepare("update projects set settings = ? where organization_id = ?")
      .bind(JSON.stringify({ validation: [] }), world.tenant.organizationId)
      .run();

    const task = await world.tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "completed", patch: { validation: { status: "none" } } });
    expect(world.validators()).toEqual([]);
  });

  it("is given its source once, also where nobody heard that it has begun", async () => {
    let left = 1;
    world.containers.losesAnswer = (request) => {
      if (!request.startsWith("PUT /patches/") || left === 0) return false;
      left -= 1;
      return true;
    };

    const task = await world.finish();

    expect(task.status).toBe("completed");
    expect(left).toBe(0);
    expect(world.validators()).toHaveLength(1);
    const brought = world.containers.log.filter((line) => line === "PUT /bundles/x");
    expect(brought).toHaveLength(2);
  });

  it("is a matter for a person at once when it will never do it", async () => {
    world.containers.onAsk = (request) =>
      request.startsWith("PUT /patches/") ? refusal("route_not_found", 404) : undefined;

    const task = await world.finish();

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "runner_fault" } });
    expect(world.validators()).toHaveLength(1);
    await world.allClosed();
  });
});

describe("a container that makes another tree", () => {
  it.each<[string, PatchReport]>([
    ["disagrees", { kind: "engine_mismatch", message: "Another tree." }],
    [
      "refuses the set",
      { kind: "refused", faults: [{ index: 0, file: "a", code: "stale", message: "moved" }] },
    ],
    ["makes", reportOf({ treeId: "8".repeat(40) })],
  ])("is a mismatch when it %s", async (text, report) => {
    world.containers.onPatch = (run) => run.finish(report);

    const task = await world.finish();

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "engine_mismatch" } });
    expect(task.outcome?.message).toContain(`the container that was to try it ${text}`);
    expect(world.validators()).toHaveLength(1);
    await world.allClosed();
  });
});

describe("containers that are all at work", () => {
  it("are waited for, and not without an end", async () => {
    let asked = 0;
    world.containers.onAsk = (request) => {
      if (!request.startsWith("PUT /patches/")) return undefined;
      asked += 1;
      return refusal("busy", 409);
    };
    const id = await world.submit();
    await vi.waitFor(() => expect(asked).toBeGreaterThan(0), 10_000);
    const object = env.SUPERVISOR.getByName(`${world.tenant.organizationId}/${id}`);

    const task = await vi.waitFor(
      async () => {
        later(16 * 60_000);
        await runDurableObjectAlarm(object);
        const seen = await world.tenant.show(id);
        expect(final).toContain(seen.status);
        return seen;
      },
      { timeout: 10_000, interval: 30 },
    );

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "runner_fault" } });
    expect(task.outcome?.message).toContain("it stays busy");
    expect(world.validators()).toHaveLength(3);
  });
});

describe("a container that hangs", () => {
  it("is given up after its lifetime, and what it says then counts for nothing", async () => {
    let first: PatchControl | undefined;
    world.containers.onPatch = (run) => {
      run.applied();
      if (first === undefined) first = run;
      else run.finish();
    };
    const id = await world.submit();
    await vi.waitFor(() => expect(first).toBeDefined(), 10_000);
    const object = env.SUPERVISOR.getByName(`${world.tenant.organizationId}/${id}`);
    await runDurableObjectAlarm(object);
    expect(world.validators()).toHaveLength(1);

    later(16 * 60_000);
    const task = await vi.waitFor(
      async () => {
        await runDurableObjectAlarm(object);
        if (world.validators().length > 1) first?.stop("shutdown");
        const seen = await world.tenant.show(id);
        expect(final).toContain(seen.status);
        return seen;
      },
      { timeout: 10_000, interval: 30 },
    );

    expect(task).toMatchObject({
      status: "completed",
      patch: { validation: { status: "passed", run: expect.stringMatching(/-v2$/) } },
    });
    await runDurableObjectAlarm(object);
    await world.allClosed();
  });
});
