import { beforeEach, describe, expect, it } from "vitest";
import { aNotice } from "../builders.ts";
import {
  approval,
  approve,
  asking,
  attempt,
  committed,
  endWaiting,
  log,
  type OpenStores,
  openWithProject,
  patchRef,
  reach,
  reachApproval,
  ref,
  type Stores,
  sha,
  sweptAt,
  task,
  way,
} from "./storeWay.ts";

/** A patch set that a person decides about: what binds an approval, and what voids it. */
export function approvalSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const deliver = (changes: Partial<Parameters<Stores["patchSets"]["beginDelivery"]>[1]>) =>
    stores.patchSets.beginDelivery(patchRef, {
      commitSha: sha,
      committed,
      needsApproval: true,
      validation: asking.validation,
      nowMs: 6_600,
      log,
      ...changes,
    });

  describe("a patch set that waits for approval", () => {
    beforeEach(() => reachApproval(stores));

    it("holds its task until it expires", async () => {
      const story = await stores.tasks.findStory(ref);
      expect(story?.task).toMatchObject({ status: "waiting_input", waiting: approval });
      expect(story?.patch).toMatchObject({ status: "awaiting_approval", approvedBy: null });
      expect(await sweptAt(stores, 89_999)).toEqual([]);
      expect(await sweptAt(stores, 90_000)).toMatchObject([{ status: "waiting_input" }]);
      expect(await way(stores).delivering()).toEqual({ kind: "lost" });
    });

    it("is approved once, by name, and goes on to its delivery", async () => {
      expect(await approve(stores)).toEqual({ kind: "done" });
      expect(await approve(stores)).toEqual({ kind: "lost" });

      const brief = await stores.executions.findBrief(attempt);
      expect(brief?.task).toMatchObject({ status: "validating", waiting: null });
      expect(brief?.patch).toMatchObject({ status: "validating", approvedBy: "user:bob" });
      expect(await sweptAt(stores, 99_000)).toMatchObject([{ status: "validating" }]);
      expect(await way(stores).delivering()).toEqual({ kind: "done" });
      expect(await way(stores).completed()).toEqual({ kind: "done" });
      expect((await stores.tasks.findStory(ref))?.order?.headCommit).toBe(sha);
    });

    it("is approved only as the row has it", async () => {
      const before = await stores.dump();
      for (const other of [
        { contentKey: "d".repeat(64) },
        { baseCommit: "e".repeat(40) },
        { treeId: "8".repeat(40) },
      ])
        expect(await approve(stores, other)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("is not delivered as another commit than of its tree and base", async () => {
      await approve(stores);
      for (const other of [{ baseCommit: "e".repeat(40) }, { treeId: "8".repeat(40) }])
        expect(await deliver({ committed: { ...committed, ...other } })).toEqual({ kind: "lost" });
      expect(await deliver({})).toEqual({ kind: "done" });
    });

    it("is asked about once more when it has changed, and its approval is void", async () => {
      await approve(stores);
      const again = { ...asking, nowMs: 6_500, log };
      expect(await stores.patchSets.awaitApproval(patchRef, again)).toEqual({ kind: "done" });

      const patch = await stores.patchSets.find("org_a", "ps_task_1");
      expect(patch).toMatchObject({ approvedBy: null, approvedBinding: null });
      expect(patch).toMatchObject({ approvalReasons: asking.reasons });
      expect(await deliver({})).toEqual({ kind: "lost" });
    });

    it("is refused, and its task fails with that", async () => {
      const refuse = () =>
        stores.patchSets.end(patchRef, {
          patchEvent: "reject",
          taskEvent: "refuse",
          child: null,
          faults: [],
          validation: null,
          outcome: { code: "approval_refused", message: "No." },
          notices: [aNotice(task)],
          nowMs: 7_000,
          log,
        });
      expect(await refuse()).toEqual({ kind: "done" });
      expect(await refuse()).toEqual({ kind: "lost" });

      const story = await stores.tasks.findStory(ref);
      expect(story?.task).toMatchObject({ status: "failed", waiting: null, finishedAtMs: 7_000 });
      expect(story?.patch).toMatchObject({ status: "rejected", validation: asking.validation });
      expect(await approve(stores)).toEqual({ kind: "lost" });
    });

    it("is found and listed in its own organization alone", async () => {
      const list = async (organizationId: string, status?: "awaiting_approval" | "delivered") =>
        (
          await stores.patchSets.list({
            organizationId,
            ...(status === undefined ? {} : { status }),
            limit: 9,
          })
        ).map(({ id }) => id);

      expect(await list("org_a")).toEqual(["ps_task_1"]);
      expect(await list("org_a", "awaiting_approval")).toEqual(["ps_task_1"]);
      expect(await list("org_a", "delivered")).toEqual([]);
      expect(await list("org_b", "awaiting_approval")).toEqual([]);
      expect(await stores.patchSets.find("org_b", "ps_task_1")).toBeNull();
      expect(
        await stores.patchSets.list({ organizationId: "org_a", before: "ps_task_1", limit: 9 }),
      ).toEqual([]);
    });

    it.each(["escalate", "cancel_waiting"] as const)(
      "fails when %s ends its task",
      async (event) => {
        expect(await endWaiting(stores, event)).toEqual({ kind: "done" });

        expect((await stores.tasks.findStory(ref))?.patch?.status).toBe("failed");
        expect((await stores.tasks.findContext(ref))?.execution?.status).toBe("succeeded");
        expect(await approve(stores)).toEqual({ kind: "lost" });
      },
    );
  });

  it("does not deliver unasked what needs a person", async () => {
    await reach(stores, "validating");
    const before = await stores.dump();

    expect(await deliver({})).toEqual({ kind: "lost" });
    expect(await stores.dump()).toBe(before);
    expect(await deliver({ needsApproval: false })).toEqual({ kind: "done" });
  });

  it("does not ask for approval once a cancel was asked for", async () => {
    await reach(stores, "validating");
    await stores.tasks.requestCancel(ref, 4_520, log);
    const before = await stores.dump();

    const asked = { ...asking, nowMs: 4_550, log };
    expect(await stores.patchSets.awaitApproval(patchRef, asked)).toEqual({ kind: "lost" });
    expect(await stores.dump()).toBe(before);
    expect((await stores.tasks.find(ref))?.status).toBe("validating");
  });
}
