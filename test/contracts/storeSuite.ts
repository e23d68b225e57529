import { beforeEach, describe, expect, it } from "vitest";
import type { ExecutionStore } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import type { NoticeStore } from "../../orchestrator/worker/domain/ports/noticeStore.ts";
import type { PatchSetStore } from "../../orchestrator/worker/domain/ports/patchSetStore.ts";
import type { ProjectStore } from "../../orchestrator/worker/domain/ports/projectStore.ts";
import type { TaskStore } from "../../orchestrator/worker/domain/ports/taskStore.ts";
import type { Task } from "../../orchestrator/worker/domain/task.ts";
import { aClaim, aLogEntry, aNewTask, aNotice, aProject, aSettlement, aTask } from "../builders.ts";

export type Stores = {
  tasks: TaskStore;
  executions: ExecutionStore;
  patchSets: PatchSetStore;
  projects: ProjectStore;
  notices: NoticeStore;
  addOrganization(id: string): Promise<void>;
  /** Every row there is, in one text: equal texts mean that nothing has changed. */
  dump(): Promise<string>;
};

const task = aTask();
const ref = { organizationId: "org_a", taskId: "task_1" };
const attempt = { ...ref, fence: 1 };
const patchRef = { ...attempt, patchSetId: "ps_task_1" };
const log = aLogEntry();
const sha = "d".repeat(40);
const outcome = { code: "delivered", message: "Delivered." } as const;

/** What every store of tasks must do, whatever it keeps them in. */
export function storeSuite(open: () => Promise<Stores>): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await open();
    await stores.addOrganization("org_a");
    await stores.projects.create(aProject(), log);
  });

  /** Takes the task as far as one of these states. */
  const reach = async (state: keyof typeof way, of: Task = task) => {
    for (const name of Object.keys(way) as (keyof typeof way)[]) {
      expect(await way[name](of)).toMatchObject({ kind: "done" });
      if (name === state) return;
    }
  };
  const way = {
    queued: (of: Task) => stores.tasks.accept(aNewTask(of)),
    assigned: (of: Task) => stores.tasks.claim(aClaim(of)),
    starting: () => stores.executions.enterStarting(attempt, 3_000),
    running: () => stores.executions.markRunning(attempt, 3_500, log),
    patching: (of: Task) => stores.executions.settle(aSettlement(of)),
    validating: () =>
      stores.patchSets.beginValidation(patchRef, { treeId: "7".repeat(40), nowMs: 4_500, log }),
    delivering: () =>
      stores.patchSets.beginDelivery(patchRef, {
        commitSha: sha,
        validation: { status: "passed", commands: [] },
        nowMs: 4_600,
        log,
      }),
    completed: (of: Task) =>
      stores.patchSets.deliver(patchRef, {
        projectId: of.projectId,
        orderId: of.orderId,
        commitSha: sha,
        outcome,
        notices: [aNotice(of)],
        nowMs: 4_700,
        log,
      }),
  };

  describe("a happy history", () => {
    it("moves task, execution and patch set together to the end", async () => {
      await reach("completed");

      const story = await stores.tasks.findStory(ref);
      expect(story?.task).toMatchObject({ status: "completed", fence: 1, outcome });
      expect(story?.execution).toMatchObject({ status: "succeeded", events: 7, durationMs: 900 });
      expect(story?.patch).toMatchObject({ status: "delivered", commitSha: sha });
      expect(story?.order?.headCommit).toBe(sha);
      expect(story?.log).toHaveLength(7);
      expect(await stores.notices.inbox("org_a", null, 10)).toHaveLength(1);
    });

    it("changes no row when every write of it is made once more", async () => {
      await reach("completed");
      const before = await stores.dump();

      for (const [name, write] of Object.entries(way))
        if (name !== "queued") expect(await write(task)).toEqual({ kind: "lost" });
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
      await reach("queued");

      const claims = await Promise.all([1, 2, 3].map(() => stores.tasks.claim(aClaim(task))));

      expect(claims.map(({ kind }) => kind).sort()).toEqual(["done", "lost", "lost"]);
    });

    it("is refused when the caps leave no room", async () => {
      await reach("queued");
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
      await reach("running");
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
      await reach("running");
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

  describe("a stale fence", () => {
    const stale = { ...ref, fence: 1 };
    const stalePatch = { ...stale, patchSetId: "ps_task_1" };
    const writes: Record<string, (s: Stores) => Promise<{ kind: string }>> = {
      claim: (s) => s.tasks.claim(aClaim(aTask({ fence: 0 }))),
      delay: (s) =>
        s.tasks.delay(ref, { fence: 0, untilMs: 9_000, reason: "no_capacity", nowMs: 1 }),
      "enter starting": (s) => s.executions.enterStarting(stale, 1),
      "mark running": (s) => s.executions.markRunning(stale, 1, log),
      "settle with a patch": (s) => s.executions.settle(aSettlement(task)),
      "settle without a patch": (s) =>
        s.executions.settle(
          aSettlement(task, {
            taskEvent: "finish_without_patch",
            patch: null,
            outcome: { code: "no_changes", message: "" },
            notices: [aNotice(task)],
          }),
        ),
      "settle for a retry": (s) =>
        s.executions.settle(
          aSettlement(task, { executionEvent: "lose", taskEvent: "retry", patch: null }),
        ),
      "settle as failed": (s) =>
        s.executions.settle(
          aSettlement(task, {
            executionEvent: "fail",
            taskEvent: "fail",
            patch: null,
            outcome: { code: "agent_error", message: "" },
            notices: [aNotice(task)],
          }),
        ),
      "settle as cancelled": (s) =>
        s.executions.settle(
          aSettlement(task, {
            executionEvent: "cancel",
            taskEvent: "cancel_confirmed",
            patch: null,
            outcome: { code: "cancelled", message: "" },
          }),
        ),
      "begin validation": (s) =>
        s.patchSets.beginValidation(stalePatch, { treeId: "7".repeat(40), nowMs: 1, log }),
      "begin delivery": (s) =>
        s.patchSets.beginDelivery(stalePatch, {
          commitSha: sha,
          validation: { status: "none", commands: [] },
          nowMs: 1,
          log,
        }),
      deliver: (s) =>
        s.patchSets.deliver(stalePatch, {
          projectId: "proj_1",
          orderId: "ORD-1",
          commitSha: sha,
          outcome,
          notices: [aNotice(task)],
          nowMs: 1,
          log,
        }),
      "end a patch set": (s) =>
        s.patchSets.end(stalePatch, {
          patchEvent: "reject",
          taskEvent: "escalate",
          faults: [],
          validation: null,
          outcome: { code: "patch_rejected", message: "" },
          notices: [aNotice(task)],
          nowMs: 1,
          log,
        }),
    };

    /** The task's second attempt is on its way, as far as its own delivery. */
    const secondAttempt = async (state: "assigned" | "running" | "patching" | "delivering") => {
      await reach("running");
      await stores.executions.settle(
        aSettlement(task, { executionEvent: "lose", taskEvent: "retry", patch: null }),
      );
      const second = { ...ref, fence: 2 };
      await stores.tasks.claim(aClaim(aTask({ fence: 1 })));
      if (state === "assigned") return;
      await stores.executions.enterStarting(second, 5_000);
      await stores.executions.markRunning(second, 5_100, log);
      if (state === "running") return;
      const patch = { ...aSettlement(task).patch, fence: 2, id: "ps_second" };
      await stores.executions.settle(
        aSettlement(task, {
          ref: second,
          patch: patch as NonNullable<ReturnType<typeof aSettlement>["patch"]>,
        }),
      );
      if (state === "patching") return;
      const secondPatch = { ...second, patchSetId: "ps_second" };
      const treeId = "7".repeat(40);
      await stores.patchSets.beginValidation(secondPatch, { treeId, nowMs: 5_200, log });
      await stores.patchSets.beginDelivery(secondPatch, {
        commitSha: sha,
        validation: { status: "none", commands: [] },
        nowMs: 5_300,
        log,
      });
    };

    for (const state of ["assigned", "running", "patching", "delivering"] as const)
      it.each(Object.keys(writes))(
        `cannot ${"%s"} while the next attempt is ${state}`,
        async (name) => {
          await secondAttempt(state);
          const before = await stores.dump();

          const answer = await writes[name]?.(stores);

          expect(answer).toEqual({ kind: "lost" });
          expect(await stores.dump()).toBe(before);
        },
      );
  });

  describe("a cancel", () => {
    it("ends a task that waits at once", async () => {
      await reach("queued");

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
      await reach("assigned");

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
        await reach(state);
        await stores.tasks.requestCancel(ref, 4_650, log);
        const before = await stores.dump();

        const next = {
          running: "patching",
          patching: "validating",
          validating: "delivering",
        } as const;

        expect(await way[next[state]](task)).toEqual({ kind: "lost" });
        expect(await stores.dump()).toBe(before);
      },
    );

    it("comes too late once the task is delivering", async () => {
      await reach("delivering");
      expect(await stores.tasks.requestCancel(ref, 4_650, log)).toEqual({ kind: "lost" });
      expect(await way.completed(task)).toEqual({ kind: "done" });
    });
  });

  describe("the sweep", () => {
    it("finds what is due, of any organization, and no final task", async () => {
      await reach("queued");
      expect(await stores.tasks.dueForSweep(600_999, 10)).toEqual([]);
      expect(await stores.tasks.dueForSweep(601_000, 10)).toMatchObject([
        { ref, status: "queued", fence: 0, executionStatus: null, sends: 1 },
      ]);

      await stores.tasks.postponeSweep(ref, 900_000, 2);

      expect(await stores.tasks.dueForSweep(899_999, 10)).toEqual([]);
      expect(await stores.tasks.dueForSweep(900_000, 10)).toMatchObject([{ sends: 2 }]);
    });

    it("forgets a task that has ended", async () => {
      await reach("completed");
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
      await reach("queued");
      await end([aNotice(task), callback]);
      expect(await stores.notices.due(5_000, 10)).toMatchObject([{ id: "ntc_call", attempts: 0 }]);

      await stores.notices.postpone("org_a", "ntc_call", 1, 9_000);
      expect(await stores.notices.due(8_999, 10)).toEqual([]);
      expect(await stores.notices.due(9_000, 10)).toMatchObject([{ attempts: 1 }]);
      await stores.notices.markSent("org_a", "ntc_call", 9_100);

      expect(await stores.notices.due(99_000, 10)).toEqual([]);
    });

    it("are given up at last, and a dead one is not sent any more", async () => {
      await reach("queued");
      await end([callback]);

      await stores.notices.postpone("org_a", "ntc_call", 6, null);

      expect(await stores.notices.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
      await stores.notices.markSent("org_a", "ntc_call", 9_100);
      expect(await stores.notices.inbox("org_a", null, 10)).toMatchObject([{ status: "dead" }]);
    });
  });
}
