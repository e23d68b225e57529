import { beforeEach, describe, expect, it } from "vitest";
import type { Task } from "../../orchestrator/worker/domain/task.ts";
import { aClaim, aNewTask, aNotice, aProject, aTask } from "../builders.ts";
import {
  log,
  type OpenStores,
  openWithProject,
  reach,
  reachApproval,
  reachQuestion,
  reachRemediation,
  ref,
  remediate,
  type Stores,
  task,
} from "./storeWay.ts";

/** Tasks of one order go one after the other; a task and the child that remediates it are one of them. */
export function orderSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const second = aTask({ id: "task_2" });
  const child = aTask({ id: "task_3", parentId: "task_1", depth: 1 });
  const order = { organizationId: "org_a", projectId: "proj_1", orderId: "ORD-1" };
  const accept = (one: Task) => stores.tasks.accept(aNewTask(one));
  const claim = (one: Task) => stores.tasks.claim(aClaim(one));
  const endParent = (event: "adopt_child" | "fail" | "escalate" | "cancel_confirmed") =>
    stores.tasks.endParent(ref, {
      event,
      outcome: { code: "delivered", message: "By its child." },
      notices: [aNotice(task)],
      nowMs: 9_000,
      log,
    });

  const holding: Record<string, () => Promise<unknown>> = {
    assigned: () => reach(stores, "assigned"),
    running: () => reach(stores, "running"),
    patching: () => reach(stores, "patching"),
    validating: () => reach(stores, "validating"),
    delivering: () => reach(stores, "delivering"),
    "waiting for an answer": () => reachQuestion(stores),
    "waiting for approval": () => reachApproval(stores),
    remediating: () => reachRemediation(stores, child),
  };
  const free: Record<string, () => Promise<unknown>> = {
    queued: () => reach(stores, "queued"),
    parked: async () => {
      await reach(stores, "queued");
      await stores.tasks.park(ref, { fence: 0, untilMs: 9_000, reason: "quota", nowMs: 1, log });
    },
    completed: () => reach(stores, "completed"),
  };

  describe("an order", () => {
    it.each(Object.keys(holding))("is held by a task that is %s", async (state) => {
      await holding[state]?.();
      await accept(second);
      const before = await stores.dump();

      expect(await stores.tasks.orderIsBusy(second)).toBe(true);
      expect(await claim(second)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it.each(Object.keys(free))("is not held by a task that is %s", async (state) => {
      await free[state]?.();
      await accept(second);

      expect(await stores.tasks.orderIsBusy(second)).toBe(false);
      expect(await claim(second)).toEqual({ kind: "done" });
    });

    it("is not held by a task of another order, project or organization, nor by the task itself", async () => {
      await stores.projects.create(aProject({ id: "proj_2", name: "second" }), log);
      await stores.addOrganization("org_b");
      await stores.projects.create(aProject({ organizationId: "org_b" }), log);
      await reach(stores, "running");
      const others = [
        aTask({ id: "task_2", orderId: "ORD-2" }),
        aTask({ id: "task_3", projectId: "proj_2" }),
        aTask({ id: "task_4", organizationId: "org_b" }),
      ];
      for (const other of others) {
        await accept(other);
        expect(await stores.tasks.orderIsBusy(other)).toBe(false);
        expect(await claim(other)).toEqual({ kind: "done" });
      }
      expect(await stores.tasks.orderIsBusy(task)).toBe(false);
    });

    it("is next for the oldest queued task that waits for it", async () => {
      await reach(stores, "running");
      expect(await stores.tasks.nextOfOrder(order)).toBeNull();
      const waits = { fence: 0, untilMs: 9_000, nowMs: 1 };
      const reasons = ["no_capacity", "order_busy", "order_busy"];
      for (const [at, reason] of reasons.entries()) {
        const taskId = `task_${at + 2}`;
        await accept(aTask({ id: taskId }));
        await stores.tasks.delay({ ...ref, taskId }, { ...waits, reason });
      }

      expect(await stores.tasks.nextOfOrder(order)).toEqual({ ...ref, taskId: "task_3" });
      expect(await stores.tasks.nextOfOrder({ ...order, orderId: "ORD-2" })).toBeNull();
      expect(await stores.tasks.nextOfOrder({ ...order, organizationId: "org_b" })).toBeNull();
    });
  });

  describe("a task that is remediated", () => {
    it("waits for its child, which may start while it waits", async () => {
      await reachRemediation(stores, child);

      const story = await stores.tasks.findStory(ref);
      expect(story?.task).toMatchObject({ status: "remediating", outcome: null });
      expect(story?.patch?.status).toBe("conflict");
      expect(await stores.tasks.findChild(ref)).toEqual(child);
      expect(await stores.tasks.orderIsBusy(child)).toBe(false);
      expect(await claim(child)).toEqual({ kind: "done" });
      expect(await stores.tasks.dueForSweep(650_000, 9)).toMatchObject([
        { ref: { taskId: "task_3" } },
        { ref, status: "remediating" },
      ]);
    });

    it("lets no child start beside another task at work", async () => {
      await accept(second);
      await claim(second);
      await accept(child);

      expect(await stores.tasks.orderIsBusy(child)).toBe(true);
      expect(await claim(child)).toEqual({ kind: "lost" });
    });

    it("has its newest child as its child, and none in another organization", async () => {
      expect(await stores.tasks.findChild(ref)).toBeNull();
      await reachRemediation(stores, child);
      const newer = { ...child, id: "task_4" };
      await accept(newer);

      expect(await stores.tasks.findChild(ref)).toEqual(newer);
      expect(await stores.tasks.findChild({ ...ref, organizationId: "org_b" })).toBeNull();
    });

    it.each([
      ["adopt_child", "completed"],
      ["fail", "failed"],
      ["escalate", "escalated"],
      ["cancel_confirmed", "cancelled"],
    ] as const)("ends once by %s", async (event, status) => {
      await reachRemediation(stores, child);

      expect(await endParent(event)).toEqual({ kind: "done" });
      expect(await endParent(event)).toEqual({ kind: "lost" });

      expect(await stores.tasks.find(ref)).toMatchObject({
        status,
        outcome: { code: "delivered", message: "By its child." },
        finishedAtMs: 9_000,
      });
      expect(await stores.notices.inbox("org_a", null, 9)).toHaveLength(1);
      await stores.tasks.postponeSweep(ref, 1, 1);
      expect(await stores.tasks.dueForSweep(600_000, 9)).toEqual([]);
    });

    it.each(["queued", "running", "validating", "completed"] as const)(
      "is not ended for a child while it is %s",
      async (state) => {
        await reach(stores, state);
        const before = await stores.dump();

        for (const event of ["adopt_child", "fail", "escalate", "cancel_confirmed"] as const)
          expect(await endParent(event)).toEqual({ kind: "lost" });
        expect(await stores.dump()).toBe(before);
      },
    );

    it("can be asked to be cancelled, and is then not remediated", async () => {
      await reach(stores, "patching");
      await stores.tasks.requestCancel(ref, 4_100, log);
      const before = await stores.dump();

      expect(await remediate(stores, child)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("hears of a cancel while it waits for its child", async () => {
      await reachRemediation(stores, child);

      expect(await stores.tasks.requestCancel(ref, 5_000, log)).toEqual({ kind: "done" });

      const due = await stores.tasks.dueForSweep(5_000, 9);
      expect(due).toMatchObject([{ ref }, { ref: { taskId: child.id } }]);
      expect(await endParent("cancel_confirmed")).toEqual({ kind: "done" });
    });

    it("takes all below it along when it is cancelled, and nothing else of its order", async () => {
      const deeper = aTask({ id: "task_4", parentId: child.id, depth: 2 });
      const elsewhere = aTask({ id: "task_5", orderId: "ORD-2", parentId: "task_9", depth: 1 });
      await reachRemediation(stores, child);
      for (const one of [deeper, second, elsewhere]) await accept(one);

      await stores.tasks.requestCancel(ref, 5_000, log);

      const asked = (await stores.tasks.list({ organizationId: "org_a", limit: 9 }))
        .filter(({ cancelRequestedAtMs }) => cancelRequestedAtMs === 5_000)
        .map(({ id }) => id);
      expect(asked).toEqual(["task_4", "task_3", "task_1"]);
      expect(await claim(child)).toEqual({ kind: "lost" });
    });

    it("is remediated once: the child is written with it or not at all", async () => {
      await reachRemediation(stores, child);
      const before = await stores.dump();

      expect(await remediate(stores, { ...child, id: "task_4" })).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("is left as it was when the child's id is taken", async () => {
      await reach(stores, "patching");
      await accept(second);
      const before = await stores.dump();

      const made = remediate(stores, { ...child, id: "task_2" });

      await expect(made).rejects.toMatchObject({ code: "store_unavailable" });
      expect(await stores.dump()).toBe(before);
    });
  });
}
