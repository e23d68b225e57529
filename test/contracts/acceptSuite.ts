import { beforeEach, describe, expect, it } from "vitest";
import { aNewTask, aTask } from "../builders.ts";
import { type OpenStores, openWithProject, type Stores, task } from "./storeWay.ts";

/** A request becomes one task, however often it is made. */
export function acceptSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  describe("accepting", () => {
    const idempotency = {
      key: "key-1",
      requestSha256: "r".repeat(64),
      answer: '{"id":"task_1"}',
      expiresAtMs: 9_000,
    };

    it("keeps one task for one idempotency key, and the first answer", async () => {
      await stores.tasks.accept(aNewTask(task, { idempotency }));
      const before = await stores.dump();

      const second = await stores.tasks.accept(
        aNewTask(aTask({ id: "task_2" }), { idempotency: { ...idempotency, answer: "other" } }),
      );

      expect(second).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
      const found = await stores.tasks.findForAccept("org_a", "proj_1", "key-1");
      expect(found.replay).toMatchObject({ answer: '{"id":"task_1"}' });
    });

    it("takes a key again once it has expired, with the new answer", async () => {
      await stores.tasks.accept(aNewTask(task, { idempotency }));
      const late = (createdAtMs: number) =>
        stores.tasks.accept(
          aNewTask(aTask({ id: "task_2", createdAtMs }), {
            idempotency: { ...idempotency, answer: "new", expiresAtMs: 99_000 },
          }),
        );

      expect(await late(8_999)).toEqual({ kind: "lost" });
      expect(await late(9_000)).toEqual({ kind: "done" });
      const found = await stores.tasks.findForAccept("org_a", "proj_1", "key-1");
      expect(found.replay).toMatchObject({ answer: "new", expiresAtMs: 99_000 });
    });

    it("forgets expired keys, no more at once than it is told to", async () => {
      for (const id of ["task_1", "task_2", "task_3"])
        await stores.tasks.accept(
          aNewTask(aTask({ id }), { idempotency: { ...idempotency, key: `key-${id}` } }),
        );

      expect(await stores.tasks.forgetExpiredKeys(8_999, 10)).toBe(0);
      expect(await stores.tasks.forgetExpiredKeys(9_000, 2)).toBe(2);
      expect(await stores.tasks.forgetExpiredKeys(9_000, 2)).toBe(1);
      const found = await stores.tasks.findForAccept("org_a", "proj_1", "key-task_3");
      expect(found.replay).toBeNull();
    });

    it("throws for an id that is taken, and changes no row", async () => {
      await stores.tasks.accept(aNewTask(task));
      const before = await stores.dump();

      const second = stores.tasks.accept(aNewTask(task, { idempotency }));

      await expect(second).rejects.toMatchObject({ code: "store_unavailable" });
      expect(await stores.dump()).toBe(before);
    });

    it("does not know the keys, projects and tasks of another organization", async () => {
      await stores.tasks.accept(aNewTask(task, { idempotency }));
      await stores.addOrganization("org_b");

      const found = await stores.tasks.findForAccept("org_b", "proj_1", "key-1");

      expect(found).toEqual({ project: null, replay: null });
      expect(await stores.tasks.find({ organizationId: "org_b", taskId: "task_1" })).toBeNull();
    });
  });
}
