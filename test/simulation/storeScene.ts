import type { AttemptRef } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import type { PatchRef } from "../../orchestrator/worker/domain/ports/patchSetStore.ts";
import type { Notice, Task, Waiting } from "../../orchestrator/worker/domain/task.ts";
import { aLogEntry, aNotice, aTask } from "../builders.ts";
import type { Stores } from "../contracts/storeWay.ts";

/** What a call is about: the task as it stands, a fence that is mostly its own, a time, and a number to vary by. */
export type Scene = { task: Task; ref: AttemptRef; patch: PatchRef; nowMs: number; n: number };
export type Op = (stores: Stores, scene: Scene) => Promise<unknown>;

export const actors: Task[] = [
  aTask({ id: "task_0" }),
  aTask({ id: "task_1" }),
  aTask({ id: "task_2", projectId: "proj_2", orderId: "ORD-2" }),
  aTask({ id: "task_3", organizationId: "org_b" }),
  // Comes to be when task_0 is remediated.
  aTask({ id: "task_4", parentId: "task_0", depth: 1 }),
  // Accepted for the first time by a replay, or never.
  aTask({ id: "task_0", organizationId: "org_b" }),
];

export const log = aLogEntry();
export const pick = <T>(values: readonly [T, ...T[]], n: number): T =>
  values[n % values.length] ?? values[0];
export const soon = ({ nowMs, n }: Scene): number => nowMs + pick([0, 10, 500, 50_000], n);
export const waitingOf = (scene: Scene): Waiting => ({
  kind: pick(["question", "plan", "approval"], scene.n),
  text: "Which?",
  sinceMs: scene.nowMs,
  expiresAtMs: soon(scene),
});
export const noticesOf = ({ task, ref, n, nowMs }: Scene): Notice[] =>
  [aNotice(task), aNotice(task, { channel: "callback", target: "https://example.com" })]
    .slice(n % 3)
    .map((notice) => ({
      ...notice,
      id: n % 11 === 0 ? "ntc_same" : `ntc_${notice.channel}_${nowMs}`,
      dedupeKey: `${task.id}.${ref.fence}.${n % 2}.${n % 7 === 0 ? "same" : notice.channel}`,
    }));
export const outcome = { code: "delivered", message: "Delivered." } as const;
export const atOrder = ({ task }: Scene) => ({
  organizationId: task.organizationId,
  projectId: task.projectId,
  orderId: task.orderId,
});
