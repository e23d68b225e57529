import { beforeEach, describe, expect, it } from "vitest";
import { aClaim, aSettlement, aTask } from "../builders.ts";
import {
  approve,
  endWaiting,
  log,
  type OpenStores,
  openWithProject,
  question,
  reach,
  reachQuestion,
  ref,
  type Stores,
  sweptAt,
  task,
} from "./storeWay.ts";

/** A task that nobody works on: put aside, asking a person, or ended while it waits. */
export function waitingSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const resume = { sessionId: "session-1", answer: "The first." };
  const park = (fence = 0) =>
    stores.tasks.park(ref, { fence, untilMs: 8_000, reason: "quota", nowMs: 2_000, log });
  const unpark = (nowMs: number) =>
    stores.tasks.unpark(ref, { fence: 0, nowMs, sweepAtMs: 99_000, log });
  const answer = () =>
    stores.tasks.answer(ref, {
      fence: 1,
      resume,
      deadlineAtMs: 20_000_000,
      nowMs: 6_000,
      sweepAtMs: 99_000,
      log,
    });

  describe("a parked task", () => {
    beforeEach(async () => {
      await reach(stores, "queued");
      expect(await park()).toEqual({ kind: "done" });
    });

    it("is not claimed, and not who goes next", async () => {
      expect(await stores.tasks.find(ref)).toMatchObject({
        status: "parked",
        notBeforeMs: 8_000,
        notBeforeReason: "quota",
      });
      expect(await stores.tasks.claim(aClaim(task))).toEqual({ kind: "lost" });
      expect(await stores.tasks.nextWaiting(9_000, 10)).toEqual([]);
    });

    it("is swept when its time has come", async () => {
      expect(await sweptAt(stores, 7_999)).toEqual([]);
      expect(await sweptAt(stores, 8_000)).toMatchObject([
        { ref, status: "parked", notBeforeMs: 8_000 },
      ]);
    });

    it("is queued again when its time has come, once", async () => {
      expect(await unpark(7_999)).toEqual({ kind: "lost" });
      expect(await unpark(8_000)).toEqual({ kind: "done" });
      expect(await unpark(8_000)).toEqual({ kind: "lost" });

      expect(await stores.tasks.find(ref)).toMatchObject({
        status: "queued",
        notBeforeMs: null,
        notBeforeReason: null,
      });
      expect(await sweptAt(stores, 98_999)).toEqual([]);
      expect(await stores.tasks.claim(aClaim(task))).toEqual({ kind: "done" });
    });

    it("is parked once", async () => {
      const before = await stores.dump();
      expect(await park()).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("can be ended", async () => {
      expect(await endWaiting(stores, "cancel_waiting")).toEqual({ kind: "done" });

      expect(await stores.tasks.find(ref)).toMatchObject({
        status: "cancelled",
        outcome: { code: "cancelled" },
        finishedAtMs: 7_000,
      });
      expect(await sweptAt(stores, Number.MAX_SAFE_INTEGER)).toEqual([]);
      expect(await unpark(8_000)).toEqual({ kind: "lost" });
    });
  });

  describe("a task that is worked on", () => {
    it("is parked by the end of its attempt, and by nobody else", async () => {
      await reach(stores, "running");
      expect(await park(1)).toEqual({ kind: "lost" });

      await stores.executions.settle(
        aSettlement(task, {
          executionEvent: "fail",
          taskEvent: "park",
          outcome: { code: "provider_quota", message: "" },
          patch: null,
          notBeforeMs: 8_000,
          notBeforeReason: "quota",
          sweepAtMs: 8_000,
        }),
      );

      expect(await stores.tasks.find(ref)).toMatchObject({
        status: "parked",
        notBeforeMs: 8_000,
        retries: 0,
        outcome: null,
      });
      expect(await stores.executions.countLive(ref.organizationId, "gemini")).toBe(0);
    });

    it.each(["assigned", "running", "patching", "validating", "delivering", "completed"] as const)(
      "is not ended as waiting while it is %s",
      async (state) => {
        await reach(stores, state);
        const before = await stores.dump();

        expect(await endWaiting(stores, "escalate")).toEqual({ kind: "lost" });
        expect(await endWaiting(stores, "cancel_waiting")).toEqual({ kind: "lost" });
        expect(await answer()).toEqual({ kind: "lost" });
        expect(await stores.dump()).toBe(before);
      },
    );
  });

  describe("a question", () => {
    beforeEach(() => reachQuestion(stores));

    it("suspends its attempt, which counts no more, and is swept when it expires", async () => {
      const context = await stores.tasks.findContext(ref);
      expect(context?.task).toMatchObject({ status: "waiting_input", waiting: question });
      expect(context?.execution).toMatchObject({ status: "suspended", sessionId: "session-1" });
      expect(await stores.executions.countLive(ref.organizationId, "gemini")).toBe(0);
      expect(await sweptAt(stores, 89_999)).toEqual([]);
      expect(await sweptAt(stores, 90_000)).toMatchObject([
        { status: "waiting_input", executionStatus: "suspended" },
      ]);
    });

    it("is answered once: the task goes on with its session and a later deadline", async () => {
      expect(await answer()).toEqual({ kind: "done" });
      expect(await answer()).toEqual({ kind: "lost" });

      const context = await stores.tasks.findContext(ref);
      expect(context?.task).toMatchObject({
        status: "queued",
        waiting: null,
        resume,
        deadlineAtMs: 20_000_000,
      });
      expect(context?.execution?.status).toBe("succeeded");
      expect(await stores.tasks.claim(aClaim(aTask({ fence: 1 })))).toEqual({ kind: "done" });
      expect((await stores.tasks.find(ref))?.resume).toEqual(resume);
    });

    it("is not answered by approving, and not asked again", async () => {
      const before = await stores.dump();
      expect(await approve(stores)).toEqual({ kind: "lost" });
      expect(await unpark(99_000)).toEqual({ kind: "lost" });
      expect(await stores.tasks.requestCancel(ref, 5_000, log)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it.each([
      ["escalate", "escalated", "failed"],
      ["cancel_waiting", "cancelled", "cancelled"],
    ] as const)("ends by %s, and its attempt with it", async (event, ended, attemptEnded) => {
      expect(await endWaiting(stores, event)).toEqual({ kind: "done" });

      const context = await stores.tasks.findContext(ref);
      expect(context?.task).toMatchObject({ status: ended, waiting: null, finishedAtMs: 7_000 });
      expect(context?.execution).toMatchObject({ status: attemptEnded, settledAtMs: 4_000 });
      expect(await stores.notices.inbox("org_a", null, 10)).toHaveLength(1);
      expect(await answer()).toEqual({ kind: "lost" });
    });

    it("is not asked once a cancel was asked for", async () => {
      await answer();
      await stores.tasks.claim(aClaim(aTask({ fence: 1 })));
      const second = { ...ref, fence: 2 };
      await stores.executions.enterStarting(second, 7_000);
      await stores.executions.markRunning(second, 7_000, log);
      await stores.tasks.requestCancel(ref, 7_500, log);

      const asked = await stores.executions.settle(
        aSettlement(task, {
          ref: second,
          executionEvent: "suspend",
          taskEvent: "ask",
          patch: null,
        }),
      );

      expect(asked).toEqual({ kind: "lost" });
    });

    it("can be ended at its own attempt only, if that is named", async () => {
      expect(await endWaiting(stores, "escalate", 0)).toEqual({ kind: "lost" });
      expect(await endWaiting(stores, "escalate", 1)).toEqual({ kind: "done" });
    });
  });
}
