import { beforeEach, describe, expect, it } from "vitest";
import { type PatchSet, patchSetSchema } from "../../shared/contracts/aiPatch.ts";
import type { TaskView } from "../../shared/contracts/task.ts";
import { applyPatchSet } from "../../shared/patch/apply.ts";
import { decodeUtf8, encodeText } from "../../shared/patch/bytes.ts";
import { fakeBase, type PatchControl } from "../fakes/fakeRuns.ts";
import { approvalWorld, codeOf, protectedFile, type Who } from "./approvalWorld.ts";
import { after, before, set, type Tree } from "./patchSamples.ts";
import { newTenant } from "./world.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;

beforeEach(async () => {
  world = await approvalWorld();
  world.runner.trees.set(fakeBase, before);
  world.runner.onPatch = judge;
});

/** The files that a set makes of a tree, by the engine; its faults where it is refused. */
async function outcomeOf(one: PatchSet, tree: Tree) {
  const readFile = (path: string) => {
    const text = tree[path];
    return text === undefined ? undefined : { bytes: encodeText(text), mode: "100644" as const };
  };
  return applyPatchSet(one, readFile, { baseIsHead: true, allowProtected: true });
}

async function applied(one: PatchSet, tree: Tree): Promise<Tree> {
  const outcome = await outcomeOf(one, tree);
  if (outcome.kind !== "applied") return expect.fail(JSON.stringify(outcome));
  const made = { ...tree };
  for (const [path, file] of outcome.files) {
    if (file === null) delete made[path];
    else made[path] = decodeUtf8(file.bytes) ?? "";
  }
  return made;
}

/** The runner's verdict is that of the engine on the commit that it is given. */
function judge(run: PatchControl): void {
  const { set: wanted, source } = run.request;
  const tree = world.runner.trees.get(source.commit ?? "") ?? {};
  void outcomeOf(wanted, tree).then((outcome) =>
    outcome.kind === "refused"
      ? run.finish({ kind: "refused", faults: outcome.faults })
      : run.finish(),
  );
}

/** A patch that was delivered, with the tree that its commit has. */
async function delivered(left = set, tree: Tree = after) {
  world.leave(left.files, left.patches);
  const task = await world.tenant.until(await world.submit(), "completed", "escalated");
  const commit = task.commit?.sha ?? expect.fail(`${task.outcome?.message}`);
  world.runner.trees.set(commit, tree);
  return { task, commit, id: task.patch?.id ?? "" };
}

const revert = (
  id: string,
  who: Who = world.tenant,
  body: object = { reason: "It broke the shop." },
  headers = {},
) => who.call("POST", `/api/v1/patches/${id}/revert`, body, headers);

async function reverted(id: string, ...statuses: string[]) {
  const { id: taskId } = await (await revert(id)).json<TaskView>();
  return world.tenant.until(taskId, ...statuses);
}

describe("the revert of a delivered patch", () => {
  it("is a task of its order without an agent, whose patch is the exact inverse", async () => {
    const { task, commit, id } = await delivered();
    const runs = world.runner.runs.size;

    const response = await revert(id);

    expect(response.status).toBe(202);
    const view = await response.json<TaskView>();
    expect(view).toMatchObject({ kind: "revert", reverts: id, orderId: task.orderId });
    expect(response.headers.get("location")).toBe(`/api/v1/tasks/${view.id}`);
    const end = await world.tenant.until(view.id, "completed", "escalated", "failed");
    expect(end).toMatchObject({
      status: "completed",
      outcome: { code: "delivered" },
      provider: "switchyard",
      patch: { status: "delivered", baseCommit: commit },
    });
    expect(world.runner.runs.size).toBe(runs);
    const shown = await world.show(end.patch?.id ?? "");
    expect(await applied(patchSetSchema.parse(shown.set), after)).toEqual(before);
    expect(world.runner.refs.get(`refs/heads/factory/${task.orderId}`)).toBe(end.commit?.sha);
    expect(world.runner.parents.get(end.commit?.sha ?? "")).toBe(commit);
    const message = world.runner.messages.at(-1);
    expect(message).toContain(`Revert ${id}: It broke the shop.\n`);
    expect(message).toContain("\nSwitchyard-Agent: switchyard\n");
  });

  it("leaves what came later as it is, also in the same file", async () => {
    const { task, id } = await delivered();
    const later: Tree = { ...after, "a.txt": "1\n3\n4\nFIVE\n" };
    const block = {
      ...set.patches[0],
      start: 4,
      end: 4,
      block: "FIVE\n",
    } as (typeof set.patches)[0];
    world.leave({ "a.txt": { op: "edit" } }, [block]);
    const next = await world.submit({ orderId: task.orderId });
    const { commit } = await world.tenant.until(next, "completed", "escalated");
    world.runner.trees.set(commit?.sha ?? "", later);

    const end = await reverted(id, "completed", "escalated", "failed");

    expect(end).toMatchObject({ status: "completed", patch: { baseCommit: commit?.sha } });
    const shown = await world.show(end.patch?.id ?? "");
    expect(await applied(patchSetSchema.parse(shown.set), later)).toEqual({
      ...before,
      "a.txt": "1\n2\n3\n4\nFIVE\n",
    });
  });

  it.each<[string, Tree, string]>([
    ["has changed the same lines", { ...after, "a.txt": "1\nother\n3\n4\n5\n" }, "a.txt"],
    ["has deleted what it made", { "a.txt": after["a.txt"] ?? "" }, "new.txt"],
    ["has put a file where one was", { ...after, "old.txt": "another\n" }, "old.txt"],
  ])("ends in conflict with the faults where later work %s", async (_, later, file) => {
    const { task, id } = await delivered();
    world.leave({ "later.txt": { op: "create" } });
    const next = await world.submit({ orderId: task.orderId });
    const { commit } = await world.tenant.until(next, "completed", "escalated");
    world.runner.trees.set(commit?.sha ?? "", later);

    const end = await reverted(id, "completed", "escalated", "failed");

    expect(end).toMatchObject({
      status: "escalated",
      outcome: { code: "conflict" },
      patch: { status: "conflict", faults: [{ file }] },
    });
    expect(world.runner.refs.get(`refs/heads/factory/${task.orderId}`)).toBe(commit?.sha);
  });

  const created = { files: { "new.txt": set.files["new.txt"] }, patches: [] } as typeof set;

  it("does not say that nothing is left where somebody has gone on with the branch", async () => {
    const { id } = await delivered(set, after);
    const first = await reverted(id, "completed");
    world.runner.trees.set(first.commit?.sha ?? "", before);
    const branch = `refs/heads/factory/${first.orderId}`;
    world.runner.refs.set(branch, "f".repeat(40));

    const second = await reverted(id, "completed", "escalated", "failed");

    expect(second).toMatchObject({
      status: "failed",
      outcome: { message: expect.stringContaining(`the branch is at ${"f".repeat(40)} by now`) },
    });
  });

  it.each([
    ["", set, after],
    [", also where it is only created files", created, { ...before, "new.txt": "new\n" }],
  ])("changes nothing the second time%s", async (_, left, tree) => {
    const { id } = await delivered(left, tree);
    const first = await reverted(id, "completed");
    world.runner.trees.set(first.commit?.sha ?? "", before);

    const second = await reverted(id, "completed", "escalated", "failed");

    expect(second).toMatchObject({
      status: "completed",
      outcome: { code: "no_changes", message: "Nothing of the patch is left to take back." },
    });
    expect(second.patch).toBeNull();
  });

  it("can be taken back itself", async () => {
    const { id } = await delivered();
    const first = await reverted(id, "completed");
    world.runner.trees.set(first.commit?.sha ?? "", before);

    const again = await reverted(first.patch?.id ?? "", "completed", "escalated", "failed");

    const shown = await world.show(again.patch?.id ?? "");
    expect(await applied(patchSetSchema.parse(shown.set), before)).toEqual(after);
  });

  it("waits for another person where it touches a protected path", async () => {
    world.leave({ [protectedFile]: { op: "create", content: { text: "on: push\n" } } });
    const { taskId, seen } = await world.waiting();
    await world.approve(seen);
    const { commit } = await world.tenant.until(taskId, "completed");
    world.runner.trees.set(commit?.sha ?? "", { ...before, [protectedFile]: "on: push\n" });

    const waits = await reverted(seen.id, "waiting_input", "escalated", "completed");

    expect(waits.waiting?.reason).toContain(protectedFile);
    const inverse = await world.show(waits.patch?.id ?? "");
    const self = await world.as("approver", "user:ada");
    expect(await codeOf(await world.approve(inverse, self))).toBe("403 forbidden");
    expect((await world.approve(inverse)).status).toBe(200);
    await world.tenant.until(waits.id, "completed");
  });

  it("goes on when the repository can be read again, and ends when it never can", async () => {
    const { id, commit } = await delivered();
    let refusals = 2;
    world.runner.misbehave = (_, path) =>
      path === "/forge/files" && refusals-- > 0 ? new Response("away", { status: 502 }) : undefined;
    const end = await reverted(id, "completed", "escalated", "failed");
    expect([end.status, refusals]).toEqual(["completed", expect.any(Number)]);
    expect(refusals).toBeLessThan(0);

    world.runner.misbehave = () => undefined;
    world.runner.trees.delete(commit);
    world.runner.trees.delete(fakeBase);
    const failed = await reverted(id, "completed", "escalated", "failed");
    expect(failed.outcome).toMatchObject({ code: "runner_fault" });
  });

  it("is for members, of delivered patches of their organization, with a reason", async () => {
    const { id } = await delivered();
    world.leave({ [protectedFile]: { op: "create" } });
    const { seen } = await world.waiting();
    const viewer = await world.as("viewer", "user:eve");
    const stranger = await newTenant();

    expect(await codeOf(await revert(seen.id))).toBe("409 patch_not_delivered");
    expect(await codeOf(await revert(id, viewer))).toBe("403 forbidden");
    expect(await codeOf(await revert(id, stranger))).toBe("404 patch_not_found");
    expect(await codeOf(await revert(id, world.tenant, { reason: " " }))).toBe(
      "422 invalid_request",
    );
  });
});

describe("an idempotency key of a revert", () => {
  const key = { "idempotency-key": "revert-1" };
  const keyed = (id: string, reason = "It broke the shop.") =>
    revert(id, world.tenant, { reason }, key);

  it("gives the first answer again, byte for byte, also when the task is over", async () => {
    const { id } = await delivered();

    const answers = await Promise.all([keyed(id), keyed(id)]);
    const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
    const task = JSON.parse(first ?? "") as TaskView;
    await world.tenant.until(task.id, "completed");
    const late = await keyed(id);

    expect(second).toBe(first);
    expect(late.status).toBe(202);
    expect(late.headers.get("idempotency-replayed")).toBe("true");
    expect(late.headers.get("location")).toBe(`/api/v1/tasks/${task.id}`);
    expect(await late.text()).toBe(first);
    const reverts = world.runner.messages.filter((message) => message.includes(`Revert ${id}`));
    expect(reverts).toHaveLength(1);
  });

  it("is refused for another reason, another patch, and a task", async () => {
    const { task, id } = await delivered();
    const other = await delivered();
    await keyed(id);

    const request = { projectId: task.projectId, prompt: "Rename add." };
    for (const answer of [
      await keyed(id, "Another reason."),
      await keyed(other.id),
      await keyed("ps_unknown"),
      await world.tenant.call("POST", "/api/v1/tasks", request, key),
    ])
      expect(await codeOf(answer)).toBe("409 idempotency_conflict");
  });

  it("is another one in another organization, and is not asked for", async () => {
    const { id } = await delivered();
    await keyed(id);

    expect(await codeOf(await revert(id, await newTenant(), { reason: "Not mine." }, key))).toBe(
      "404 patch_not_found",
    );
    const [one, two] = await Promise.all([revert(id), revert(id)]);
    expect((await one.json<TaskView>()).id).not.toBe((await two.json<TaskView>()).id);
  });
});
