import { beforeEach, describe, expect, it } from "vitest";
import { aClaim, aNewTask, aNotice, aSettlement, aTask } from "../builders.ts";
import {
  attempt,
  log,
  type OpenStores,
  openWithProject,
  outcome,
  reach,
  ref,
  type Stores,
  sha,
  steps,
  task,
  way,
} from "./storeWay.ts";

/** What every store of tasks must do, whatever it keeps them in. */
export function storeSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  describe("a happy history", () => {
    it("moves task, execution and patch set together to the end", async () => {
      await reach(stores, "completed");

      const story = await stores.tasks.findStory(ref);
      expect(story?.task).toMatchObject({ status: "completed", fence: 1, outcome });
      expect(story?.execution).toMatchObject({ status: "succeeded", events: 7, durationMs: 900 });
      expect(story?.patch).toMatchObject({ status: "delivered", commitSha: sha });
      expect(story?.order?.headCommit).toBe(sha);
      expect(story?.log).toHaveLength(7);
      expect(await stores.notices.inbox("org_a", null, 10)).toHaveLength(1);
    });

    it("changes no row when every write of it is made once more", async () => {
      await reach(stores, "completed");
      const before = await stores.dump();

      for (const name of steps.slice(1))
        expect(await way(stores)[name]()).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });
  });

  describe("claiming", () => {
    it("is done once, however many messages point at the task", async () => {
      await reach(stores, "queued");

      const claims = await Promise.all([1, 2, 3].map(() => stores.tasks.claim(aClaim(task))));

      expect(claims.map(({ kind }) => kind).sort()).toEqual(["done", "lost", "lost"]);
    });

    it("is refused when the caps leave no room", async () => {
      await reach(stores, "queued");
      const before = await stores.dump();

      const room = { all: 9, provider: 9, organization: 9, project: 9 };
      for (const full of ["all", "provider", "organization", "project"])
        expect(await stores.tasks.claim(aClaim(task, { caps: { ...room, [full]: 0 } }))).toEqual({
          kind: "lost",
        });
      expect(await stores.dump()).toBe(before);
    });

    it("counts live executions until they settle", async () => {
      await reach(stores, "running");
      const other = aTask({ id: "task_2", orderId: "ORD-2" });
      await stores.tasks.accept(aNewTask(other));
      const full = aClaim(other, { caps: { all: 1, provider: 9, organization: 9, project: 9 } });
      expect(await stores.tasks.claim(full)).toEqual({ kind: "lost" });
      expect(await stores.executions.countLive(task.organizationId, "gemini")).toBe(1);

      await stores.executions.settle(aSettlement(task));

      expect(await stores.executions.countLive(task.organizationId, "gemini")).toBe(0);
      expect(await stores.tasks.claim(full)).toEqual({ kind: "done" });
    });

    it("supersedes the assignment of the attempt before", async () => {
      await reach(stores, "running");
      await stores.executions.settle(
        aSettlement(task, {
          executionEvent: "lose",
          taskEvent: "retry",
          outcome: { code: "lost", message: "gone" },
          patch: null,
          notBeforeMs: 9_000,
        }),
      );

      const again = await stores.tasks.claim(aClaim(aTask({ fence: 1 })));

      expect(again).toEqual({ kind: "done" });
      expect((await stores.tasks.find(ref))?.fence).toBe(2);
    });
  });

  describe("settling", () => {
    it("for a retry counts it and keeps the task waiting", async () => {
      await reach(stores, "running");
      const notBefore = { notBeforeMs: 9_000, notBeforeReason: "backoff" };

      await stores.executions.settle(
        aSettlement(task, {
          executionEvent: "fail",
          taskEvent: "retry",
          outcome: { code: "provider_overloaded", message: "" },
          patch: null,
          ...notBefore,
        }),
      );

      const context = await stores.tasks.findContext(ref);
      expect(context?.task).toMatchObject({ status: "queued", retries: 1, ...notBefore });
      expect(context?.task).toMatchObject({ outcome: null, finishedAtMs: null });
      expect(context?.execution).toMatchObject({ status: "failed", settledAtMs: 4_000 });
    });

    it.each(["patch set", "notice"])(
      "throws for a %s that is there, and changes no row",
      async (what) => {
        await reach(stores, "patching");
        const other = aTask({ id: "task_2", orderId: "ORD-2" });
        for (const step of ["queued", "assigned"] as const) await way(stores)[step](other);
        const attempt2 = { ...ref, taskId: "task_2", fence: 1 };
        await stores.executions.enterStarting(attempt2, 3_000);
        await stores.executions.markRunning(attempt2, 3_500, log);
        const before = await stores.dump();
        const notice = aNotice(task);

        const settled = stores.executions.settle(
          what === "notice"
            ? aSettlement(other, { notices: [notice, { ...notice, id: "ntc_2" }] })
            : aSettlement(other, { patch: aSettlement(task).patch }),
        );

        await expect(settled).rejects.toMatchObject({ code: "store_unavailable" });
        expect(await stores.dump()).toBe(before);
      },
    );
  });

  describe("a cancel", () => {
    it("ends a task that waits at once", async () => {
      await reach(stores, "queued");

      const ended = await stores.tasks.endWaiting(ref, {
        event: "cancel_waiting",
        outcome: { code: "cancelled", message: "" },
        notices: [],
        nowMs: 2_000,
        log,
      });

      expect(ended).toEqual({ kind: "done" });
      expect(await stores.tasks.claim(aClaim(task))).toEqual({ kind: "lost" });
    });

    it("is a request for a task that is worked on, and closes the gate", async () => {
      await reach(stores, "assigned");

      expect(await stores.tasks.requestCancel(ref, 2_500, log)).toEqual({ kind: "done" });
      expect(await stores.tasks.requestCancel(ref, 2_600, log)).toEqual({ kind: "lost" });
      expect(await stores.executions.enterStarting(attempt, 3_000)).toEqual({ kind: "lost" });
      expect(await stores.executions.findWish(attempt)).toEqual({
        fence: 1,
        cancelRequested: true,
      });
    });

    it.each(["running", "patching", "validating"] as const)(
      "wins over all further work of a task that is %s",
      async (state) => {
        await reach(stores, state);
        await stores.tasks.requestCancel(ref, 4_650, log);
        const before = await stores.dump();
        const next = {
          running: "patching",
          patching: "validating",
          validating: "delivering",
        } as const;

        expect(await way(stores)[next[state]]()).toEqual({ kind: "lost" });
        expect(await stores.dump()).toBe(before);
      },
    );

    it("comes too late once the task is delivering", async () => {
      await reach(stores, "delivering");
      expect(await stores.tasks.requestCancel(ref, 4_650, log)).toEqual({ kind: "lost" });
      expect(await way(stores).completed()).toEqual({ kind: "done" });
    });
  });

  describe("notices", () => {
    const callback = aNotice(task, {
      id: "ntc_call",
      dedupeKey: "task_1.1.completed.callback",
      channel: "callback",
      target: "https://example.com/hook",
    });
    const end = (notices: (typeof callback)[]) =>
      stores.tasks.endWaiting(ref, {
        event: "cancel_waiting",
        outcome: { code: "cancelled", message: "" },
        notices,
        nowMs: 5_000,
        log,
      });

    it("are due until they are sent", async () => {
      await reach(stores, "queued");
      await end([aNotice(task), callback]);
      expect(await stores.notices.due(5_000, 10)).toMatchObject([{ id: "ntc_call", attempts: 0 }]);

      await stores.notices.postpone("org_a", "ntc_call", 1, 9_000);
      expect(await stores.notices.due(8_999, 10)).toEqual([]);
      expect(await stores.notices.due(9_000, 10)).toMatchObject([{ attempts: 1 }]);
      await stores.notices.markSent("org_a", "ntc_call", 9_100);

      expect(await stores.notices.due(99_000, 10)).toEqual([]);
    });

    it("are given up at last, and a dead one is not sent any more", async () => {
      await reach(stores, "queued");
      await end([callback]);

      await stores.notices.postpone("org_a", "ntc_call", 6, null);

      expect(await stores.notices.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
      await stores.notices.markSent("org_a", "ntc_call", 9_100);
      expect(await stores.notices.inbox("org_a", null, 10)).toMatchObject([{ status: "dead" }]);
    });
  });
}
