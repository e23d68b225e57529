import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import { approvePatch } from "../../orchestrator/worker/services/patch-manager/approval.ts";
import { answerTask } from "../../orchestrator/worker/services/tasks/answerTask.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl } from "../fakes/fakeRuns.ts";
import { newTenant, untilIdle, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

const hourMs = 3_600_000;
const submit = async () => (await tenant.submit({ projectId, provider: "gemini" })).id;
const refOf = (taskId: string) => ({ organizationId: tenant.organizationId, taskId });
const objectOf = (id: string) => env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);
const cancel = (id: string) => tenant.call("POST", `/api/v1/tasks/${id}/cancel`);

describe("a patch that a person has to approve", () => {
  const approve = (id: string) => approvePatch(compose(env), refOf(id), "user:ada");
  /** No policy asks for it yet, so it is asked for here, while the patch is validated. */
  const startAndAskForApproval = async () => {
    const held: PatchControl[] = [];
    runner.onPatch = (patch) => {
      held.push(patch);
      patch.applied();
    };
    const id = await submit();
    const { patch } = await tenant.until(id, "validating");
    const nowMs = Date.now();
    const ref = { ...refOf(id), fence: 1, patchSetId: patch?.id ?? "" };
    const asked = await compose(env).patchSets.awaitApproval(ref, {
      waiting: {
        kind: "approval",
        text: "It is large.",
        sinceMs: nowMs,
        expiresAtMs: nowMs + hourMs,
      },
      nowMs,
      log: { actor: "system", action: "patch.awaits_approval", message: "It is large." },
    });
    expect(asked).toEqual({ kind: "done" });
    held[0]?.finish();
    return id;
  };

  it("waits with its reason, and is delivered when it is approved", async () => {
    const id = await startAndAskForApproval();
    expect(await tenant.show(id)).toMatchObject({
      status: "waiting_input",
      waiting: { reason: "approval: It is large." },
      patch: { status: "awaiting_approval" },
    });
    expect(runner.refs.size).toBe(0);

    expect(await approve(id)).toEqual({ kind: "approved" });

    const task = await tenant.until(id, "completed");
    expect(task).toMatchObject({ fence: 1, patch: { status: "delivered" } });
    expect(task.log.map(({ action, actor }) => `${actor} ${action}`)).toContain(
      "user:ada patch.approved",
    );
    expect(runner.patches.size).toBe(1);
  });

  it("takes no answer in place of the approval", async () => {
    const id = await startAndAskForApproval();

    const answered = await answerTask(compose(env), refOf(id), "user:ada", "Yes.");

    expect(answered).toEqual({ kind: "lost" });
    expect((await tenant.show(id)).status).toBe("waiting_input");
  });

  it("is approved once, and only while it waits for that", async () => {
    const id = await startAndAskForApproval();

    const kinds = (await Promise.all([approve(id), approve(id)])).map(({ kind }) => kind);

    expect(kinds.sort()).toEqual(["approved", "lost"]);
    await tenant.until(id, "completed");
    expect(await approve(id)).toEqual({ kind: "lost" });
  });

  it("is not delivered when its task is cancelled", async () => {
    const id = await startAndAskForApproval();

    const response = await cancel(id);

    expect(response.status).toBe(200);
    expect(await tenant.show(id)).toMatchObject({
      status: "cancelled",
      patch: { status: "failed" },
    });
    expect(await approve(id)).toEqual({ kind: "lost" });
    await untilIdle(objectOf(id));
    expect(runner.refs.size).toBe(0);
  });

  it("is handed to a person when nobody approves it in time", async () => {
    const id = await startAndAskForApproval();
    await env.DB.prepare(
      "update tasks set sweep_at_ms = 1, waiting = json_set(waiting, '$.expiresAtMs', 1) where id = ?",
    )
      .bind(id)
      .run();
    expect(await approve(id)).toEqual({ kind: "lost" });

    await tick(compose(env));

    expect(await tenant.until(id, "escalated")).toMatchObject({
      outcome: { code: "input_expired" },
      patch: { status: "failed" },
    });
    await untilIdle(objectOf(id));
    expect(runner.refs.size).toBe(0);
  });
});
