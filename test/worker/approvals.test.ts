import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import { answerTask } from "../../orchestrator/worker/services/tasks/answerTask.ts";
import { fakeTree, type PatchControl } from "../fakes/fakeRuns.ts";
import { approvalWorld, codeOf, protectedFile, type Who } from "./approvalWorld.ts";
import { newTenant, untilIdle } from "./world.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;

beforeEach(async () => {
  world = await approvalWorld();
});

const refOf = (taskId: string) => ({ organizationId: world.tenant.organizationId, taskId });
const objectOf = (id: string) => env.SUPERVISOR.getByName(`${world.tenant.organizationId}/${id}`);

describe("a patch of a protected path", () => {
  it("waits for a person, who sees the verdict, the operations and why he is asked", async () => {
    const { taskId, seen } = await world.waiting();

    expect(seen).toMatchObject({
      taskId,
      projectId: world.projectId,
      status: "awaiting_approval",
      treeId: fakeTree,
      approvalReasons: [{ code: "protected_path", file: protectedFile }],
      approvedBy: null,
      commit: null,
      validation: { status: "passed", commands: [{ name: "test" }] },
      set: { files: { [protectedFile]: { op: "create" } } },
    });
    expect(seen.expiresAtMs).toBeGreaterThan(Date.now());
    expect((await world.tenant.show(taskId)).waiting?.reason).toContain(protectedFile);
    expect([...world.runner.patches.values()].map(({ request }) => request)).toMatchObject([
      { approved: { protectedPaths: true } },
    ]);
    expect(world.runner.refs.size).toBe(0);
  });

  it("is listed for viewers of its organization alone", async () => {
    const { seen } = await world.waiting();
    const viewer = await world.as("viewer", "user:eve");
    const stranger = await newTenant();
    const list = async (who: Who, query: string) =>
      (
        await (
          await who.call("GET", `/api/v1/patches${query}`)
        ).json<{ patches: { id: string }[] }>()
      ).patches.map(({ id }) => id);

    expect(await list(viewer, "?status=awaiting_approval")).toEqual([seen.id]);
    expect(await list(viewer, "")).toEqual([seen.id]);
    expect(await list(viewer, "?status=delivered")).toEqual([]);
    expect(await list(stranger, "?status=awaiting_approval")).toEqual([]);
    expect(await codeOf(await stranger.call("GET", `/api/v1/patches/${seen.id}`))).toBe(
      "404 patch_not_found",
    );
  });

  it("is delivered when it is approved, which is on record", async () => {
    const { taskId, seen } = await world.waiting();

    const response = await world.approve(seen);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ approvedBy: "user:bob" });
    const task = await world.tenant.until(taskId, "completed");
    expect(task).toMatchObject({ fence: 1, patch: { status: "delivered" } });
    expect(world.runner.patches.size).toBe(1);
    expect(task.log).toContainEqual(
      expect.objectContaining({
        actor: "user:bob",
        action: "patch.approved",
        message: "user:bob approved the patch: It is what we want.",
      }),
    );
    const { results } = await env.DB.prepare(
      "select details from operation_logs where subject_id = ? and action = 'patch.approved'",
    )
      .bind(taskId)
      .all<{ details: string }>();
    expect(results.map(({ details }) => JSON.parse(details))).toMatchObject([
      { contentKey: seen.contentKey, baseCommit: seen.baseCommit, treeId: seen.treeId },
    ]);
  });

  it("is approved once; the same approval again is no error, another one is", async () => {
    const { taskId, seen } = await world.waiting();
    const carol = await world.as("approver", "user:carol");

    const statuses = (await Promise.all([world.approve(seen), world.approve(seen, carol)])).map(
      ({ status }) => status,
    );

    expect(statuses.sort()).toEqual([200, 409]);
    await world.tenant.until(taskId, "completed");
    const { approvedBy } = await world.show(seen.id);
    const [first, other] = approvedBy === "user:bob" ? [undefined, carol] : [carol, undefined];
    expect((await world.approve(seen, first)).status).toBe(200);
    expect(await codeOf(await world.approve(seen, other))).toBe("409 not_awaiting_approval");
    expect(await codeOf(await world.reject(seen))).toBe("409 not_awaiting_approval");
  });

  it("is approved only as it was seen", async () => {
    const { seen } = await world.waiting();

    const other = { contentKey: "0".repeat(64) };
    expect(await codeOf(await world.approve(seen, undefined, other))).toBe("409 approval_mismatch");
    const otherTree = { treeId: "0".repeat(40) };
    expect(await codeOf(await world.approve(seen, undefined, otherTree))).toBe(
      "409 approval_mismatch",
    );
    expect(await codeOf(await world.approve(seen, undefined, { by: "user:eve" }))).toBe(
      "422 invalid_request",
    );
    expect(await codeOf(await world.approve(seen, undefined, { reason: " " }))).toBe(
      "422 invalid_request",
    );
    expect((await world.show(seen.id)).status).toBe("awaiting_approval");
  });

  it("is refused with a reason: its task fails, and no agent tries again", async () => {
    const { taskId, seen } = await world.waiting();

    expect((await world.reject(seen)).status).toBe(200);

    expect(await world.tenant.show(taskId)).toMatchObject({
      status: "failed",
      outcome: {
        code: "approval_refused",
        message: "user:bob refused the patch: We want no such job.",
      },
      patch: { status: "rejected" },
      waiting: null,
    });
    await untilIdle(objectOf(taskId));
    expect(world.runner.refs.size).toBe(0);
    expect(await codeOf(await world.approve(seen))).toBe("409 not_awaiting_approval");
  });

  it("takes no answer in place of the approval", async () => {
    const { taskId } = await world.waiting();

    const answered = await answerTask(compose(env), refOf(taskId), "user:bob", "Yes.");

    expect(answered).toEqual({ kind: "lost" });
    expect((await world.tenant.show(taskId)).status).toBe("waiting_input");
  });

  it("is not delivered when its task is cancelled", async () => {
    const { taskId, seen } = await world.waiting();

    const response = await world.tenant.call("POST", `/api/v1/tasks/${taskId}/cancel`);

    expect(response.status).toBe(200);
    expect(await world.show(seen.id)).toMatchObject({ status: "failed", expiresAtMs: null });
    expect(await codeOf(await world.approve(seen))).toBe("409 not_awaiting_approval");
    await untilIdle(objectOf(taskId));
    expect(world.runner.refs.size).toBe(0);
  });

  it("is handed to a person when nobody decides in time", async () => {
    const { taskId, seen } = await world.waiting();
    await env.DB.prepare(
      "update tasks set sweep_at_ms = 1, waiting = json_set(waiting, '$.expiresAtMs', 1) where id = ?",
    )
      .bind(taskId)
      .run();
    expect(await codeOf(await world.approve(seen))).toBe("409 not_awaiting_approval");

    await tick(compose(env));

    expect(await world.tenant.until(taskId, "escalated")).toMatchObject({
      outcome: { code: "input_expired" },
      patch: { status: "failed" },
    });
    await untilIdle(objectOf(taskId));
    expect(world.runner.refs.size).toBe(0);
  });

  it("is not even asked about when its tests fail", async () => {
    world.runner.onPatch = (patch: PatchControl) => {
      patch.applied();
      patch.finish({
        kind: "applied",
        treeId: fakeTree,
        baseCommit: "b".repeat(40),
        validation: { status: "failed", commands: [] },
      });
    };
    const task = await world.tenant.until(await world.submit(), "escalated");

    expect(task.outcome?.code).toBe("validation_failed");
    expect(task.log.map(({ action }) => action)).not.toContain("patch.awaits_approval");
  });

  it("is asked about again when its row has changed after the approval", async () => {
    const { taskId, seen } = await world.waiting();
    const changedTree = "8".repeat(40);
    for (const run of world.runner.patches.values())
      run.report = { ...(run.report as object), treeId: changedTree };
    // What a base that has moved does: the same operations make another tree.
    await env.DB.batch([
      env.DB.prepare(
        `update patch_sets set status = 'validating', tree_id = ?1, approved_by = 'user:bob',
           approved_binding = content_key || ':' || base_commit || ':' || ?2 where id = ?3`,
      ).bind(changedTree, seen.treeId, seen.id),
      env.DB.prepare("update tasks set status = 'validating', waiting = null where id = ?").bind(
        taskId,
      ),
    ]);
    await objectOf(taskId).poke(refOf(taskId));

    await world.tenant.until(taskId, "waiting_input");
    const now = await world.show(seen.id);
    expect(now).toMatchObject({ approvedBy: null, treeId: changedTree });
    expect(await codeOf(await world.approve(seen))).toBe("409 approval_mismatch");
    expect((await world.approve(now)).status).toBe(200);
    await world.tenant.until(taskId, "completed");
  });
});
