import { beforeEach, describe, expect, it } from "vitest";
import type { DeadLetter } from "../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { AttemptRef } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import { aNewTask, aNotice, aTask } from "../builders.ts";
import {
  attempt,
  log,
  type OpenStores,
  openWithProject,
  reach,
  reachApproval,
  reachQuestion,
  ref,
  type Stores,
  task,
} from "./storeWay.ts";

const aLetter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
  ...ref,
  id: "dead_1",
  messageId: "message-1",
  status: "open",
  because: "The message could not be processed.",
  replayedAs: null,
  replayedBy: null,
  createdAtMs: 5_000,
  ...changes,
});
const outcome = { code: "dead_letter", message: "Nobody could take it." } as const;

/** Messages that could not be processed: each is kept once, and its task is handed to a person with it. */
export function deadLetterSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const record = (letter: DeadLetter, at: AttemptRef | null) =>
    stores.deadLetters.record(letter, {
      end: { attempt: at, outcome, notices: [aNotice(task)] },
      nowMs: 5_000,
      log,
    });
  const recordMoot = (letter: DeadLetter) =>
    stores.deadLetters.record(letter, { end: null, nowMs: 5_000, log });
  const replay = (id: string) =>
    stores.deadLetters.replay("org_a", "dead_1", {
      task: aNewTask(aTask({ id, replayOf: "task_1" })),
      by: "user:ada",
      nowMs: 6_000,
      log,
    });

  describe("a dead letter", () => {
    it("escalates the queued task it is about", async () => {
      await reach(stores, "queued");

      expect(await record(aLetter(), null)).toEqual({ kind: "done" });

      expect(await stores.deadLetters.find("org_a", "dead_1")).toEqual(aLetter());
      const story = await stores.tasks.findStory(ref);
      expect(story?.task).toMatchObject({ status: "escalated", outcome, finishedAtMs: 5_000 });
      expect(story?.log).toHaveLength(2);
      expect(await stores.notices.inbox("org_a", null, 9)).toHaveLength(1);
      expect(await stores.tasks.dueForSweep(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
    });

    it("loses the claimed attempt that nobody has begun, and frees its slot", async () => {
      await reach(stores, "assigned");

      expect(await record(aLetter(), attempt)).toEqual({ kind: "done" });

      const context = await stores.tasks.findContext(ref);
      expect(context?.task.status).toBe("escalated");
      expect(context?.execution).toMatchObject({ status: "lost", outcome, settledAtMs: 5_000 });
      expect(await stores.executions.countLive(ref.organizationId, "gemini")).toBe(0);
      expect(await stores.executions.enterStarting(attempt, 6_000)).toEqual({ kind: "lost" });
    });

    it.each(["starting", "running", "patching", "completed"] as const)(
      "ends no task that is %s, and is then not written either",
      async (state) => {
        await reach(stores, state);
        const before = await stores.dump();

        expect(await record(aLetter(), attempt)).toEqual({ kind: "lost" });
        expect(await record(aLetter(), null)).toEqual({ kind: "lost" });
        expect(await stores.dump()).toBe(before);
      },
    );

    it("does not end a claimed task without its attempt, nor by another attempt", async () => {
      await reach(stores, "assigned");
      const before = await stores.dump();

      expect(await record(aLetter(), null)).toEqual({ kind: "lost" });
      expect(await record(aLetter(), { ...ref, fence: 2 })).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it.each([
      ["an answer", reachQuestion],
      ["approval", reachApproval],
    ])("ends no task that waits for %s, which needs no message", async (_, reachIt) => {
      await reachIt(stores);
      const before = await stores.dump();

      expect(await record(aLetter(), null)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("is recorded alone when its task needs no message any more", async () => {
      await reach(stores, "completed");

      expect(await recordMoot(aLetter({ status: "moot" }))).toEqual({ kind: "done" });

      expect((await stores.tasks.find(ref))?.status).toBe("completed");
      expect(await stores.deadLetters.findByMessage("org_a", "message-1")).toMatchObject({
        id: "dead_1",
        status: "moot",
      });
    });

    it("is recorded once for one message", async () => {
      await reach(stores, "queued");
      await recordMoot(aLetter());
      const before = await stores.dump();

      expect(await recordMoot(aLetter({ id: "dead_2" }))).toEqual({ kind: "lost" });
      expect(await recordMoot(aLetter({ messageId: "message-2" }))).toEqual({ kind: "lost" });
      expect(await record(aLetter({ id: "dead_2" }), null)).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("is not known to another organization, and may be about a task that is not there", async () => {
      expect(await recordMoot(aLetter({ taskId: "task_9" }))).toEqual({ kind: "done" });

      expect(await stores.deadLetters.find("org_b", "dead_1")).toBeNull();
      expect(await stores.deadLetters.findByMessage("org_b", "message-1")).toBeNull();
      expect(await stores.deadLetters.list({ organizationId: "org_b", limit: 9 })).toEqual([]);
      expect(await stores.deadLetters.find("org_a", "dead_9")).toBeNull();
    });
  });

  it("lists dead letters newest first, by status and in pages", async () => {
    for (const n of [1, 2, 3, 4])
      await recordMoot(
        aLetter({
          id: `dead_${n}`,
          messageId: `message-${n}`,
          status: n === 2 ? "moot" : "open",
        }),
      );
    const list = async (filter: { status?: "open" | "moot"; before?: string; limit: number }) =>
      (await stores.deadLetters.list({ organizationId: "org_a", ...filter })).map(({ id }) => id);

    expect(await list({ limit: 9 })).toEqual(["dead_4", "dead_3", "dead_2", "dead_1"]);
    expect(await list({ status: "open", limit: 2 })).toEqual(["dead_4", "dead_3"]);
    expect(await list({ status: "open", before: "dead_3", limit: 2 })).toEqual(["dead_1"]);
    expect(await list({ status: "moot", limit: 9 })).toEqual(["dead_2"]);
  });

  describe("a replay", () => {
    it("writes the new task once, and says in the letter who asked", async () => {
      await reach(stores, "queued");
      await record(aLetter(), null);

      expect(await replay("task_2")).toEqual({ kind: "done" });

      expect(await stores.tasks.find({ ...ref, taskId: "task_2" })).toMatchObject({
        status: "queued",
        replayOf: "task_1",
      });
      expect(await stores.deadLetters.find("org_a", "dead_1")).toEqual(
        aLetter({ status: "replayed", replayedAs: "task_2", replayedBy: "user:ada" }),
      );
      const before = await stores.dump();
      expect(await replay("task_3")).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });

    it("is lost when the letter is moot or not there", async () => {
      expect(await replay("task_2")).toEqual({ kind: "lost" });
      await recordMoot(aLetter({ status: "moot" }));
      const before = await stores.dump();

      expect(await replay("task_2")).toEqual({ kind: "lost" });
      expect(await stores.dump()).toBe(before);
    });
  });
}
