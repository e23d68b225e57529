import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../shared/contracts/task.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { codeOf } from "./envelopes.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const submit = () => tenant.submit({ projectId, provider: "gemini" });
const cancel = (id: string) => tenant.call("POST", `/api/v1/tasks/${id}/cancel`);

describe("cancelling a task", () => {
  it("takes an empty body that calls itself JSON", async () => {
    const { id } = await submit();
    await tenant.until(id, "completed");

    for (const body of ["", null]) {
      const answer = await exports.default.fetch(
        `https://switchyard.test/api/v1/tasks/${id}/cancel`,
        {
          method: "POST",
          headers: {
            authorization: `Bearer ${tenant.token}`,
            "content-type": "application/json",
          },
          body,
        },
      );
      expect(await codeOf(answer)).toBe("409 too_late");
    }
  });

  it("that waits ends it at once", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    const { id } = await submit();

    const answer = await cancel(id);

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: "cancelled" });
    expect(runner.runs.size).toBe(0);
  });

  it("that runs ends its agent first, and then says so", async () => {
    runner.onRun = () => {};
    const { id } = await submit();
    await tenant.until(id, "running");

    const answer = await cancel(id);

    expect(answer.status).toBe(202);
    expect(await answer.json<TaskView>()).toMatchObject({ cancelRequested: true });
    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "cancelled", outcome: { code: "cancelled" } });
    expect(task.execution?.status).toBe("cancelled");
    expect([...runner.runs.values()][0]?.cancelled).toBe("cancel");
  });

  it("wins over an agent that ends well in the same moment", async () => {
    let control: RunControl | null = null;
    runner.onRun = (run) => {
      control = run;
    };
    const { id } = await submit();
    await tenant.until(id, "running");
    runner.misbehave = (_method, path) => {
      if (path.endsWith("/cancel")) control?.finish();
      return undefined;
    };

    await cancel(id);

    const task = await tenant.until(id, ...final);
    expect(task).toMatchObject({ status: "cancelled", commit: null });
    expect(runner.refs.size).toBe(0);
  });

  it("whose patch is being validated leaves the branch where it was", async () => {
    runner.onPatch = (run) => run.applied();
    const { id } = await submit();
    await tenant.until(id, "validating");

    expect((await cancel(id)).status).toBe(202);

    expect(await tenant.until(id, ...final)).toMatchObject({ status: "cancelled", commit: null });
    expect(runner.refs.size).toBe(0);
    expect([...runner.patches.values()][0]?.cancelled).toBe("cancel");
  });

  it("that is delivered is too late, and the answer names the commit", async () => {
    const { id } = await submit();
    const task = await tenant.until(id, "completed");

    const answer = await cancel(id);

    const copy = answer.clone();
    expect(await codeOf(answer)).toBe("409 too_late");
    expect(await copy.text()).toContain(task.commit?.sha);
  });

  it("twice is the same as once", async () => {
    runner.onRun = () => {};
    const { id } = await submit();
    await tenant.until(id, "running");

    await Promise.all([cancel(id), cancel(id)]);
    await tenant.until(id, "cancelled");

    expect((await cancel(id)).status).toBe(200);
    const { log } = await tenant.show(id);
    expect(log.filter(({ action }) => action === "task.cancel_requested")).toHaveLength(1);
  });

  it("that has failed is refused", async () => {
    runner.onRun = (run) => run.finish({ terminal: null });
    const { id } = await submit();
    await tenant.until(id, "failed");

    expect(await codeOf(await cancel(id))).toBe("409 already_final");
  });
});
