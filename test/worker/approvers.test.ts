import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { approvalWorld, codeOf, type Who } from "./approvalWorld.ts";
import { newTenant } from "./world.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;

beforeEach(async () => {
  world = await approvalWorld();
});

describe("who may decide", () => {
  it("is a user with the role, and nobody who wanted the task", async () => {
    const { seen } = await world.waiting();
    const refused = async (who: Who) => [
      await codeOf(await world.approve(seen, who)),
      await codeOf(await world.reject(seen, who)),
    ];

    expect(await refused(await world.as("viewer", "user:eve"))).toEqual(
      Array(2).fill("403 forbidden"),
    );
    expect(await refused(await world.as("member", "user:eve"))).toEqual(
      Array(2).fill("403 forbidden"),
    );
    expect(await refused(await world.as("approver", "factory:shop"))).toEqual(
      Array(2).fill("403 forbidden"),
    );
    // An admin, and the one who handed the task over.
    expect(await refused(world.tenant)).toEqual(Array(2).fill("403 forbidden"));
    expect(await refused(await newTenant("admin"))).toEqual(Array(2).fill("404 patch_not_found"));
    expect((await world.show(seen.id)).status).toBe("awaiting_approval");
  });

  it("is nobody who wanted a task that this one stems from", async () => {
    const { taskId, seen } = await world.waiting();
    // It remediates task_p, which replays task_o of user:bob.
    await copyTask(taskId, `task_o_${taskId}`, "user:bob", null);
    await copyTask(taskId, `task_p_${taskId}`, "user:carol", `task_o_${taskId}`);
    await env.DB.prepare("update tasks set parent_id = ?, created_by = 'system' where id = ?")
      .bind(`task_p_${taskId}`, taskId)
      .run();

    expect(await codeOf(await world.approve(seen))).toBe("403 forbidden");
    const carol = await world.as("approver", "user:carol");
    expect(await codeOf(await world.approve(seen, carol))).toBe("403 forbidden");
    const dave = await world.as("approver", "user:dave");
    expect((await world.approve(seen, dave)).status).toBe(200);
  });
});

/** A finished task like another one. */
async function copyTask(of: string, id: string, by: string, replayOf: string | null) {
  const row = await env.DB.prepare("select * from tasks where id = ?").bind(of).first();
  const copy = {
    ...row,
    ...{ id, created_by: by, replay_of: replayOf, order_id: `ORD-${id.length}${by.length}` },
    ...{ status: "failed", waiting: null, sweep_at_ms: null, finished_at_ms: 1 },
  };
  const names = Object.keys(copy);
  await env.DB.prepare(
    `insert into tasks (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`,
  )
    .bind(...Object.values(copy))
    .run();
}
