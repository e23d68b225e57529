import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { PatchOpsContract } from "../../shared/contracts/patchOps.ts";
import { decodeUtf8 } from "../../shared/patch/bytes.ts";
import { fakeBase } from "../fakes/fakeRuns.ts";
import { secretSamples } from "../patch/secretSamples.ts";
import { approvalWorld } from "./approvalWorld.ts";
import { newTenant } from "./world.ts";

const bound = exports.PatchOps as unknown as (options: { props: unknown }) => PatchOpsContract;

let world: Awaited<ReturnType<typeof approvalWorld>>;
let ops: PatchOpsContract;

const opsOf = (organization: string) => bound({ props: { organization, factory: "builder" } });

beforeEach(async () => {
  world = await approvalWorld();
  world.runner.trees.set(fakeBase, { "a.txt": "one\ntwo\n" });
  ops = opsOf(world.tenant.organizationId);
});

/** A delivered patch of one line, with the commit that its order's branch is at. */
async function delivered() {
  const line = {
    task_id: "task_1",
    file: "a.txt",
    operation: "replace-block" as const,
    start: 1,
    end: 1,
    block: "ONE\n",
    metadata: { provider: "gemini" },
  };
  world.leave({ "a.txt": { op: "edit" } }, [line]);
  const task = await world.tenant.until(await world.submit(), "completed");
  const commit = task.commit?.sha ?? "";
  world.runner.trees.set(commit, { "a.txt": "ONE\ntwo\n" });
  return { task, commit, id: task.patch?.id ?? "" };
}

describe("PatchOps", () => {
  it("shows the patch sets of the factory's organization, newest first, page by page", async () => {
    const first = await delivered();
    const second = await delivered();

    const page = await ops.listPatches({ limit: 1, status: "delivered" });

    expect(page).toMatchObject({
      ok: true,
      value: { patches: [{ id: second.id, commit: second.commit }], next: second.id },
    });
    expect(await ops.listPatches({ before: second.id })).toMatchObject({
      value: { patches: [{ id: first.id }], next: null },
    });
    expect(await ops.listPatches({ status: "rejected" })).toEqual({
      ok: true,
      value: { patches: [], next: null },
    });
    expect(await ops.listPatches()).toMatchObject({ value: { patches: [{}, {}] } });
  });

  it("shows one with its operations, its diff and its files, as the HTTP face does", async () => {
    const { id } = await delivered();
    const over = async (path: string) => world.tenant.call("GET", `/api/v1/patches/${id}${path}`);

    expect(await ops.getPatch(id)).toEqual({ ok: true, value: await (await over("")).json() });
    expect(await ops.filesOfPatch(id)).toEqual({
      ok: true,
      value: await (await over("/files")).json(),
    });
    const diff = await ops.diffOfPatch(id);
    expect(diff.ok && decodeUtf8(diff.value)).toBe(await (await over("/diff")).text());
    expect(diff.ok && decodeUtf8(diff.value)).toContain("-one\n+ONE\n two\n");
  });

  it("says what would come of one on a ref, and moves nothing", async () => {
    const { task, id, commit } = await delivered();
    const ref = `refs/heads/factory/${task.orderId}`;

    expect(await ops.checkPatch(id)).toMatchObject({ ok: true, value: { ref, commit } });
    world.runner.refs.set("refs/heads/main", fakeBase);
    expect(await ops.checkPatch(id, { ref: "main" })).toMatchObject({
      value: { kind: "applies", commit: fakeBase, files: [{ path: "a.txt" }] },
    });
    expect(await ops.checkPatch(id, { ref: "nowhere" })).toMatchObject({
      error: { code: "invalid_request" },
    });
    expect(world.runner.refs.get(ref)).toBe(commit);
  });

  it("has a delivered one taken back, as the factory that it is", async () => {
    const { id, task } = await delivered();

    const answer = await ops.revertPatch(id, { reason: "It broke the shop." });

    if (!answer.ok) return expect.fail(answer.error.message);
    expect(answer.value).toMatchObject({
      kind: "revert",
      reverts: id,
      orderId: task.orderId,
      createdBy: "factory:builder",
    });
    const end = await world.tenant.until(answer.value.id, "completed", "escalated");
    expect(end).toMatchObject({ status: "completed", patch: { status: "delivered" } });
  });

  it("makes one task of one key", async () => {
    const { id } = await delivered();

    const one = await ops.revertPatch(id, { reason: "Away." }, "key");

    expect(one.ok).toBe(true);
    expect(await ops.revertPatch(id, { reason: "Away." }, "key")).toEqual(one);
    expect(await ops.revertPatch(id, { reason: "Other." }, "key")).toMatchObject({
      error: { code: "idempotency_conflict" },
    });
  });

  it("finds no patch of another organization", async () => {
    const { id } = await delivered();
    const stranger = opsOf((await newTenant()).organizationId);

    for (const answer of [
      await stranger.getPatch(id),
      await stranger.diffOfPatch(id),
      await stranger.filesOfPatch(id),
      await stranger.checkPatch(id),
      await stranger.revertPatch(id, { reason: "Not mine." }),
    ])
      expect(answer).toMatchObject({ ok: false, error: { code: "patch_not_found" } });
    expect(await stranger.listPatches()).toMatchObject({ value: { patches: [] } });
    expect(await stranger.listPatches({ before: id })).toMatchObject({ value: { patches: [] } });
  });

  it("withholds a patch that adds a secret, and takes back only what is delivered", async () => {
    const [sample] = secretSamples();
    world.leave({ "key.ts": { op: "create", content: { text: `${sample?.text}\n` } } });
    const { patch } = await world.tenant.until(await world.submit(), "escalated", "failed");
    const id = patch?.id ?? "";

    expect(await ops.getPatch(id)).toMatchObject({ ok: true, value: { set: null } });
    for (const [answer, code] of [
      [await ops.diffOfPatch(id), "forbidden"],
      [await ops.filesOfPatch(id), "forbidden"],
      [await ops.revertPatch(id, { reason: "Away." }), "patch_not_delivered"],
    ] as const)
      expect(answer).toMatchObject({ ok: false, error: { code } });
  });

  it("lets no factory decide about a patch, and refuses what it does not understand", async () => {
    const { id } = await delivered();
    const names = Object.getOwnPropertyNames(
      (await import("../../orchestrator/worker/index.ts")).PatchOps.prototype,
    );
    expect(names.filter((name) => /approve|reject/i.test(name))).toEqual([]);

    for (const answer of [
      await ops.listPatches({ status: "good" }),
      await ops.listPatches({ limit: 1_000 }),
      await ops.getPatch(7 as never),
      await ops.checkPatch(id, { rev: "main" } as never),
      await ops.revertPatch(id, { reason: " " }),
      await bound({ props: undefined }).getPatch(id),
    ])
      expect(answer).toMatchObject({
        ok: false,
        error: { code: expect.stringMatching(/invalid_request|unauthenticated/) },
      });
  });
});
