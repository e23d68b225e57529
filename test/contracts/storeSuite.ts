import { beforeEach, describe, expect, it } from "vitest";
import type { Task } from "../../orchestrator/worker/domain/task.ts";
import { aClaim, aNewTask, aNotice, aProject, aSettlement, aTask } from "../builders.ts";
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

    it("does not know the keys, projects and tasks of another organization", async () => {
      await stores.tasks.accept(aNewTask(task, { idempotency }));
      await stores.addOrganization("org_b");

      const found = await stores.tasks.findForAccept("org_b", "proj_1", "key-1");

      expect(found).toEqual({ project: null, replay: null });
      expect(await stores.tasks.find({ organizationId: "org_b", taskId: "task_1" })).toBeNull();
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

      expect(await stores.tasks.claim(aClaim(task, { caps: { all: 0, provider: 9 } }))).toEqual({
        kind: "lost",
      });
      expect(await stores.tasks.claim(aClaim(task, { caps: { all: 9, provider: 0 } }))).toEqual({
        kind: "lost",
      });
      expect(await stores.dump()).toBe(before);
    });

    it("counts live executions until they settle", async () => {
      await reach(stores, "running");
      const other = aTask({ id: "task_2", orderId: "ORD-2" });
      await stores.tasks.accept(aNewTask(other));
      const full = aClaim(other, { caps: { all: 1, provider: 9 } });
      expect(await stores.tasks.claim(full)).toEqual({ kind: "lost" });
      expect(await stores.executions.countLive("gemini")).toBe(1);

      await stores.executions.settle(aSettlement(task));

      expect(await stores.executions.countLive("gemini")).toBe(0);
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

  describe("the sweep", () => {
    it("finds what is due, of any organization, and no final task", async () => {
      await reach(stores, "queued");
      expect(await stores.tasks.dueForSweep(600_999, 10)).toEqual([]);
      expect(await stores.tasks.dueForSweep(601_000, 10)).toMatchObject([
        { ref, status: "queued", fence: 0, executionStatus: null, sends: 1 },
      ]);

      await stores.tasks.postponeSweep(ref, 900_000, 2);

      expect(await stores.tasks.dueForSweep(899_999, 10)).toEqual([]);
      expect(await stores.tasks.dueForSweep(900_000, 10)).toMatchObject([{ sends: 2 }]);
    });

    it("forgets a task that has ended", async () => {
      await reach(stores, "completed");
      await stores.tasks.postponeSweep(ref, 1, 9);
      expect(await stores.tasks.dueForSweep(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    });
  });

  describe("who goes next", () => {
    const queue = async (organizationId: string, id: string, changes: Partial<Task> = {}) => {
      const waiting = aTask({ organizationId, id, orderId: `ORD-${id.slice(5)}`, ...changes });
      await stores.tasks.accept(aNewTask(waiting));
      return waiting;
    };

    it("is the oldest task of the organization that waited longest", async () => {
      await stores.addOrganization("org_b");
      await stores.projects.create(aProject({ organizationId: "org_b" }), log);
      const first = await queue("org_a", "task_1");
      await queue("org_a", "task_2");
      await queue("org_b", "task_3");
      expect(await stores.tasks.nextWaiting(5_000, 10)).toEqual([
        { organizationId: "org_a", taskId: "task_1" },
        { organizationId: "org_b", taskId: "task_3" },
      ]);

      await stores.tasks.claim(aClaim(first));

      expect(await stores.tasks.nextWaiting(5_000, 10)).toEqual([
        { organizationId: "org_b", taskId: "task_3" },
        { organizationId: "org_a", taskId: "task_2" },
      ]);
    });

    it("passes over a task that waits for a time, but not over one that waits for a slot", async () => {
      await queue("org_a", "task_1");
      await queue("org_a", "task_2");
      const wait = { fence: 0, untilMs: 50_000, nowMs: 2_000 };
      await stores.tasks.delay(ref, { ...wait, reason: "provider_unavailable" });
      expect(await stores.tasks.nextWaiting(5_000, 1)).toMatchObject([{ taskId: "task_2" }]);

      await stores.tasks.delay(ref, { ...wait, reason: "no_capacity" });

      expect(await stores.tasks.nextWaiting(5_000, 1)).toMatchObject([{ taskId: "task_1" }]);
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
