import { beforeEach, describe, expect, it } from "vitest";
import { aNotice } from "../builders.ts";
import {
  approved,
  asking,
  attempt,
  committed,
  log,
  type OpenStores,
  openWithProject,
  patchRef,
  reach,
  reachApproval,
  ref,
  type Stores,
  sha,
  task,
  treeId,
  way,
} from "./storeWay.ts";

const foreign = "f".repeat(40);

/** A patch set whose branch somebody else has moved: it goes back, and what was known of it is void. */
export function movedSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const bring = (from: string | null = null, to = foreign) =>
    stores.patchSets.bringOnto(patchRef, {
      projectId: task.projectId,
      orderId: task.orderId,
      from,
      to,
      nowMs: 5_000,
      log,
    });
  const validate = () =>
    stores.patchSets.beginValidation(patchRef, { treeId: "8".repeat(40), nowMs: 5_100, log });
  const deliver = (changes: object = {}) =>
    stores.patchSets.beginDelivery(patchRef, {
      commitSha: sha,
      committed: { ...committed, ontoCommit: foreign, treeId: "8".repeat(40) },
      needsApproval: false,
      validation: asking.validation,
      nowMs: 5_200,
      log,
      ...changes,
    });
  const findApplied = () =>
    stores.patchSets.findApplied(patchRef, {
      validation: asking.validation,
      outcome: { code: "already_applied", message: "It is there." },
      notices: [aNotice(task)],
      nowMs: 5_300,
      log,
    });

  describe("a patch set that is being delivered", () => {
    it("goes back with its task, and the order's head goes to what the branch is at", async () => {
      await reach(stores, "delivering");
      expect(await bring()).toEqual({ kind: "done" });

      const story = await stores.tasks.findStory(ref);
      expect(story?.task.status).toBe("patching");
      expect(story?.order?.headCommit).toBe(foreign);
      expect(story?.patch).toMatchObject({
        status: "received",
        ontoCommit: foreign,
        treeId: null,
        commitSha: null,
        validation: null,
      });
    });

    it("goes back once", async () => {
      await reach(stores, "delivering");
      await bring();
      const before = await stores.dump();

      expect(await bring()).toEqual({ kind: "lost" });
      expect(await bring(foreign)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("does not go back when the order's head is not where it was thought to be", async () => {
      await reach(stores, "delivering");
      const before = await stores.dump();

      expect(await bring("a".repeat(40))).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
      await bring();
      await validate();
      expect(await deliver()).toEqual({ kind: "done" });
      expect(await bring(null, "a".repeat(40))).toEqual({ kind: "lost" });
      expect(await bring(foreign, "a".repeat(40))).toEqual({ kind: "done" });
    });

    it("is delivered with the tree and the parent that it has then, and no other", async () => {
      await reach(stores, "delivering");
      await bring();
      await validate();

      expect(await deliver({ committed: { ...committed, treeId: "8".repeat(40) } })).toEqual({
        kind: "lost",
      });
      expect(await deliver({ committed: { ...committed, ontoCommit: foreign, treeId } })).toEqual({
        kind: "lost",
      });
      expect(await deliver()).toEqual({ kind: "done" });
      expect(await way(stores).completed()).toEqual({ kind: "done" });
    });
  });

  it("is not approved any more by who approved it before", async () => {
    await reachApproval(stores);
    await stores.patchSets.approve(patchRef, {
      by: "user:bob",
      approved,
      nowMs: 4_560,
      sweepAtMs: 99_000,
      log,
    });
    expect(await deliver({ committed, needsApproval: true })).toEqual({ kind: "done" });

    await bring();

    const patch = (await stores.executions.findBrief(attempt))?.patch;
    expect(patch).toMatchObject({
      approvedBy: null,
      approvedBinding: null,
      approvalReasons: null,
    });
    await validate();
    expect(await deliver({ needsApproval: true })).toEqual({ kind: "lost" });
    await stores.patchSets.awaitApproval(patchRef, { ...asking, nowMs: 5_150, log });
    const approve = (changes: object) =>
      stores.patchSets.approve(patchRef, {
        by: "user:bob",
        approved: { ...approved, ontoCommit: foreign, treeId: "8".repeat(40), ...changes },
        nowMs: 5_160,
        sweepAtMs: 99_000,
        log,
      });
    expect(await approve({ ontoCommit: null })).toEqual({ kind: "lost" });
    expect(await approve({})).toEqual({ kind: "done" });
    expect(await deliver({ needsApproval: true })).toEqual({ kind: "done" });
  });

  it("completes its task without a commit when its branch holds what it changes", async () => {
    await reach(stores, "delivering");
    await bring();
    expect(await findApplied()).toEqual({ kind: "lost" });
    await validate();

    expect(await findApplied()).toEqual({ kind: "done" });
    expect(await findApplied()).toEqual({ kind: "lost" });

    const story = await stores.tasks.findStory(ref);
    expect(story?.task).toMatchObject({
      status: "completed",
      outcome: { code: "already_applied" },
      finishedAtMs: 5_300,
    });
    expect(story?.patch).toMatchObject({ status: "already_applied", commitSha: null });
    expect(story?.order?.headCommit).toBe(foreign);
  });

  it("is not completed once a cancel was asked for", async () => {
    await reach(stores, "delivering");
    await bring();
    await validate();
    expect(await stores.tasks.requestCancel(ref, 5_250, log)).toEqual({ kind: "done" });

    expect(await findApplied()).toEqual({ kind: "lost" });
  });
}
