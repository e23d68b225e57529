import type { PatchRef } from "../../orchestrator/worker/domain/ports/patchSetStore.ts";
import { aNewTask, aTask } from "../builders.ts";
import type { Stores } from "../contracts/storeWay.ts";
import {
  atOrder,
  log,
  noticesOf,
  type Op,
  outcome,
  pick,
  type Scene,
  waitingOf,
} from "./storeScene.ts";

const endPatch = (
  stores: Stores,
  scene: Scene,
  taskEvent: "fail" | "escalate" | "cancel_confirmed" | "refuse" | "remediate",
) => {
  const { id: parentId, organizationId, projectId, orderId } = scene.task;
  const id = parentId === "task_0" ? "task_4" : `${parentId}_child`;
  const child = aTask({ id, parentId, organizationId, projectId, orderId, depth: 1 });
  return stores.patchSets.end(scene.patch, {
    patchEvent: pick(["reject", "find_conflict", "fail"], scene.n),
    taskEvent,
    child: taskEvent === "remediate" ? aNewTask(child) : null,
    faults: [],
    validation: scene.n % 2 === 0 ? null : { status: "failed", commands: [] },
    outcome,
    notices: noticesOf(scene),
    nowMs: scene.nowMs,
    log,
  });
};

/** What a person approves and what is committed: mostly what is there. */
async function asItIs(s: Stores, { organizationId, patchSetId }: PatchRef, n: number) {
  const patch = await s.patchSets.find(organizationId, patchSetId);
  return {
    contentKey: patch?.contentKey ?? "",
    baseCommit: n % 17 === 0 ? "another" : (patch?.baseCommit ?? ""),
    ontoCommit: n % 13 === 0 ? "another" : (patch?.ontoCommit ?? null),
    treeId: n % 19 === 0 ? "another" : (patch?.treeId ?? ""),
  };
}

/** Writes that move a task with its patch set. */
export const patchOps = {
  beginValidation: (s, { patch, nowMs }) =>
    s.patchSets.beginValidation(patch, { treeId: `tree-${nowMs}`, nowMs, log }),
  beginDelivery: async (s, { patch, nowMs, n }) =>
    s.patchSets.beginDelivery(patch, {
      commitSha: `sha-${nowMs}`,
      committed: await asItIs(s, patch, n),
      needsApproval: n % 3 === 0,
      validation: { status: "none", commands: [] },
      nowMs,
      log,
    }),
  deliver: (s, scene) =>
    s.patchSets.deliver(scene.patch, {
      ...atOrder(scene),
      commitSha: `sha-${scene.nowMs}`,
      outcome,
      notices: noticesOf(scene),
      nowMs: scene.nowMs,
      log,
    }),
  bringOnto: async (s, scene) => {
    const { taskId } = scene.ref;
    const story = await s.tasks.findStory({ ...scene.ref, taskId });
    return s.patchSets.bringOnto(scene.patch, {
      ...atOrder(scene),
      from: scene.n % 5 === 0 ? "another" : (story?.order?.headCommit ?? null),
      to: `foreign-${scene.nowMs}`,
      nowMs: scene.nowMs,
      log,
    });
  },
  findApplied: (s, scene) =>
    s.patchSets.findApplied(scene.patch, {
      validation: { status: "passed", commands: [] },
      outcome,
      notices: noticesOf(scene),
      nowMs: scene.nowMs,
      log,
    }),
  awaitApproval: (s, scene) =>
    s.patchSets.awaitApproval(scene.patch, {
      reasons: [{ code: "too_large", file: null, message: `${scene.n}` }],
      validation: { status: "none", commands: [] },
      waiting: waitingOf(scene),
      nowMs: scene.nowMs,
      log,
    }),
  approve: async (s, { patch, nowMs, n }) =>
    s.patchSets.approve(patch, {
      by: "user:bob",
      approved: await asItIs(s, patch, n),
      nowMs,
      sweepAtMs: nowMs + n,
      log,
    }),
  refuse: (s, scene) => endPatch(s, scene, "refuse"),
  endPatch: (s, scene) =>
    endPatch(s, scene, pick(["fail", "escalate", "cancel_confirmed"], scene.n)),
  remediate: (s, scene) => endPatch(s, scene, "remediate"),
} as const satisfies Record<string, Op>;
