import { beforeEach, expect, it } from "vitest";
import type { Settlement } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import { aClaim, aNewTask, aNotice, aSettlement, aTask } from "../builders.ts";
import {
  anAsking,
  approved,
  asking,
  committed,
  log,
  type OpenStores,
  openWithProject,
  outcome,
  reach,
  ref,
  type Stores,
  sha,
  task,
  treeId,
} from "./storeWay.ts";

/** A write with a fence lower than the task's changes no row, whichever write it is and wherever the task stands. */
export function staleFenceSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const stale = { ...ref, fence: 1 };
  // Under the id of the next attempt's patch set, so that nothing but the fence can refuse the write.
  const stalePatch = { ...stale, patchSetId: "ps_second" };
  const writes: Record<string, (s: Stores) => Promise<{ kind: string }>> = {
    claim: (s) => s.tasks.claim(aClaim(aTask({ fence: 0 }))),
    delay: (s) => s.tasks.delay(ref, { fence: 0, untilMs: 9_000, reason: "no_capacity", nowMs: 1 }),
    park: (s) => s.tasks.park(ref, { fence: 1, untilMs: 9_000, reason: "quota", nowMs: 1, log }),
    unpark: (s) => s.tasks.unpark(ref, { fence: 1, nowMs: 99_000, sweepAtMs: 99_000, log }),
    answer: (s) =>
      s.tasks.answer(ref, {
        fence: 1,
        resume: { sessionId: null, answer: "Yes." },
        deadlineAtMs: 99_000,
        nowMs: 1,
        sweepAtMs: 99_000,
        log,
      }),
    "end it while it waits": (s) =>
      s.tasks.endWaiting(ref, {
        event: "escalate",
        fence: 1,
        outcome: { code: "input_expired", message: "" },
        notices: [aNotice(task)],
        nowMs: 1,
        log,
      }),
    "record a dead letter": (s) =>
      s.deadLetters.record(
        {
          ...ref,
          id: "dead_1",
          messageId: "message-1",
          status: "open",
          because: "",
          replayedAs: null,
          replayedBy: null,
          createdAtMs: 1,
        },
        {
          end: { attempt: stale, outcome: { code: "dead_letter", message: "" }, notices: [] },
          nowMs: 1,
          log,
        },
      ),
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
    "settle as parked": (s) =>
      s.executions.settle(
        aSettlement(task, { executionEvent: "fail", taskEvent: "park", patch: null }),
      ),
    "settle with a question": (s) => s.executions.settle(anAsking()),
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
    "settle for a remediation": (s) =>
      s.executions.settle(
        aSettlement(task, {
          executionEvent: "fail",
          taskEvent: "remediate",
          patch: null,
          child: aNewTask(aTask({ id: "task_9", parentId: task.id, depth: 1 })),
          outcome: { code: "patch_rejected", message: "" },
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
    "begin validation": (s) => s.patchSets.beginValidation(stalePatch, { treeId, nowMs: 1, log }),
    "begin delivery": (s) =>
      s.patchSets.beginDelivery(stalePatch, {
        commitSha: sha,
        committed,
        needsApproval: false,
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
    "bring onto another commit": (s) =>
      s.patchSets.bringOnto(stalePatch, {
        projectId: "proj_1",
        orderId: "ORD-1",
        from: null,
        to: sha,
        nowMs: 1,
        log,
      }),
    "find it applied": (s) =>
      s.patchSets.findApplied(stalePatch, {
        validation: { status: "none", commands: [] },
        outcome,
        notices: [aNotice(task)],
        nowMs: 1,
        log,
      }),
    "await approval": (s) => s.patchSets.awaitApproval(stalePatch, { ...asking, nowMs: 1, log }),
    approve: (s) =>
      s.patchSets.approve(stalePatch, {
        by: "user:ada",
        approved,
        nowMs: 1,
        sweepAtMs: 99_000,
        log,
      }),
    "end a patch set": (s) =>
      s.patchSets.end(stalePatch, {
        patchEvent: "reject",
        taskEvent: "escalate",
        child: null,
        faults: [],
        validation: null,
        outcome: { code: "patch_rejected", message: "" },
        notices: [aNotice(task)],
        nowMs: 1,
        log,
      }),
  };

  const second = { ...ref, fence: 2 };
  const secondPatch = { ...second, patchSetId: "ps_second" };
  const settleSecond = (changes: Partial<Settlement>) =>
    stores.executions.settle(aSettlement(task, { ref: second, patch: null, ...changes }));
  const patchOfSecond = () => {
    const { patch } = aSettlement(task);
    return patch && { ...patch, fence: 2, id: "ps_second" };
  };
  /** What the second attempt goes through after it is running. */
  const ways: Record<string, (() => Promise<{ kind: string }>)[]> = {
    "queued again": [() => settleSecond({ executionEvent: "lose", taskEvent: "retry" })],
    parked: [() => settleSecond({ executionEvent: "fail", taskEvent: "park", notBeforeMs: 1_000 })],
    "waiting for an answer": [() => settleSecond({ ...anAsking(), ref: second })],
    running: [],
    patching: [() => settleSecond({ patch: patchOfSecond() })],
    validating: [
      () => settleSecond({ patch: patchOfSecond() }),
      () => stores.patchSets.beginValidation(secondPatch, { treeId, nowMs: 5_200, log }),
    ],
    "waiting for approval": [
      () => settleSecond({ patch: patchOfSecond() }),
      () => stores.patchSets.beginValidation(secondPatch, { treeId, nowMs: 5_200, log }),
      () => stores.patchSets.awaitApproval(secondPatch, { ...asking, nowMs: 5_300, log }),
    ],
    delivering: [
      () => settleSecond({ patch: patchOfSecond() }),
      () => stores.patchSets.beginValidation(secondPatch, { treeId, nowMs: 5_200, log }),
      () =>
        stores.patchSets.beginDelivery(secondPatch, {
          commitSha: sha,
          committed,
          needsApproval: false,
          validation: { status: "none", commands: [] },
          nowMs: 5_300,
          log,
        }),
    ],
  };

  const claimSecond = async () => {
    await reach(stores, "running");
    await stores.executions.settle(
      aSettlement(task, { executionEvent: "lose", taskEvent: "retry", patch: null }),
    );
    expect(await stores.tasks.claim(aClaim(aTask({ fence: 1 })))).toEqual({ kind: "done" });
  };

  const reachSecond = async (state: string) => {
    await claimSecond();
    if (state === "assigned") return;
    await stores.executions.enterStarting(second, 5_000);
    await stores.executions.markRunning(second, 5_100, log);
    for (const step of ways[state] ?? []) expect(await step()).toEqual({ kind: "done" });
  };

  for (const state of ["assigned", ...Object.keys(ways)])
    it.each(Object.keys(writes))(
      `cannot ${"%s"} while the next attempt is ${state}`,
      async (name) => {
        await reachSecond(state);
        const before = await stores.dump();

        const answer = await writes[name]?.(stores);

        expect(answer).toEqual({ kind: "lost" });
        expect(await stores.dump()).toBe(before);
      },
    );
}
