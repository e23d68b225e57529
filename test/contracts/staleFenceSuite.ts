import { beforeEach, expect, it } from "vitest";
import { aClaim, aNotice, aSettlement, aTask } from "../builders.ts";
import {
  log,
  type OpenStores,
  openWithProject,
  outcome,
  reach,
  ref,
  type Stores,
  sha,
  task,
} from "./storeWay.ts";

/** A write with a fence lower than the task's changes no row, whichever write it is and wherever the task stands. */
export function staleFenceSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  const stale = { ...ref, fence: 1 };
  const stalePatch = { ...stale, patchSetId: "ps_task_1" };
  const writes: Record<string, (s: Stores) => Promise<{ kind: string }>> = {
    claim: (s) => s.tasks.claim(aClaim(aTask({ fence: 0 }))),
    delay: (s) => s.tasks.delay(ref, { fence: 0, untilMs: 9_000, reason: "no_capacity", nowMs: 1 }),
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
    await reach(stores, "running");
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
}
