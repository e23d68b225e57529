import { and, eq, isNull } from "drizzle-orm";
import { stands } from "../domain/guards.ts";
import type { AttemptRef, Brief, ExecutionStore } from "../domain/ports/executionStore.ts";
import type { Ids } from "../domain/ports/ids.ts";
import { executionTransitions, taskTransitions } from "../domain/states.ts";
import { countLive } from "./claim.ts";
import {
  type Database,
  guardedBatch,
  mentions,
  mustHaveChanged,
  reading,
  storeError,
} from "./guardedBatch.ts";
import { toPatchSet } from "./rows.ts";
import type { patchSets } from "./runTables.ts";
import { aiProviderExecutions } from "./runTables.ts";
import type { orders, projects } from "./schema.ts";
import { tasks } from "./schema.ts";
import { settle } from "./settle.ts";
import { context, storyQueries } from "./taskReads.ts";
import { executionGuard, taskGuard, writeLog } from "./writes.ts";

/** Attempts in D1. */
export function d1ExecutionStore(db: Database, ids: Ids): ExecutionStore {
  return {
    findBrief: (ref) =>
      reading(async () => briefOf(ref, await db.batch([...storyQueries(db, ref)]))),

    findWish: (ref) =>
      reading(async () => {
        const row = await db
          .select({ fence: tasks.fence, cancelRequestedAtMs: tasks.cancelRequestedAtMs })
          .from(tasks)
          .where(and(eq(tasks.organizationId, ref.organizationId), eq(tasks.id, ref.taskId)))
          .get();
        return row ? { fence: row.fence, cancelRequested: row.cancelRequestedAtMs !== null } : null;
      }),

    async enterStarting(ref, nowMs) {
      const gate = db
        .update(aiProviderExecutions)
        .set({ status: executionTransitions.enter_starting.to, startedAtMs: nowMs })
        .where(and(executionGuard(ref, "enter_starting", "gate_once"), currentAndWanted(db, ref)));
      try {
        const [, , ...rows] = await db.batch([gate, mustHaveChanged(db), ...storyQueries(db, ref)]);
        const brief = briefOf(ref, rows as unknown as StoryRows);
        return brief === null ? { kind: "lost" } : { kind: "done", brief };
      } catch (error) {
        if (mentions(error, "malformed JSON")) return { kind: "lost" };
        throw storeError(error);
      }
    },

    markRunning: (ref, nowMs, log) =>
      guardedBatch(db, [
        db
          .update(aiProviderExecutions)
          .set({ status: executionTransitions.run.to })
          .where(executionGuard(ref, "run")),
        mustHaveChanged(db),
        db
          .update(tasks)
          .set({ status: taskTransitions.start.to, updatedAtMs: nowMs })
          .where(taskGuard(ref, "start")),
        mustHaveChanged(db),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    settle: (settlement) => settle(db, ids, settlement),

    countLive: (organizationId, provider) =>
      reading(async () => (await countLive(db, organizationId, provider).get())?.live ?? 0),
  };
}

export const logPlace = (ref: AttemptRef, nowMs: number) => ({
  organizationId: ref.organizationId,
  subjectId: ref.taskId,
  projectId: null,
  nowMs,
});

/** The task is still at this fence and nobody asked to cancel it. */
const currentAndWanted = (db: Database, ref: AttemptRef) =>
  eq(
    aiProviderExecutions.fence,
    db
      .select({ fence: tasks.fence })
      .from(tasks)
      .where(
        and(
          eq(tasks.organizationId, ref.organizationId),
          eq(tasks.id, ref.taskId),
          stands("gate_not_cancelled") ? isNull(tasks.cancelRequestedAtMs) : undefined,
        ),
      ),
  );

/** The answers of `storyQueries`, in its order. */
type StoryRows = readonly [
  (typeof tasks.$inferSelect)[],
  { project: typeof projects.$inferSelect }[],
  (typeof aiProviderExecutions.$inferSelect)[],
  { order: typeof orders.$inferSelect }[],
  (typeof patchSets.$inferSelect)[],
];

function briefOf(ref: AttemptRef, rows: StoryRows): Brief | null {
  const [taskRows, projectRows, executionRows, orderRows, patchRows] = rows;
  const found = context(taskRows[0], projectRows[0]?.project, executionRows[0]);
  const order = orderRows[0]?.order;
  if (found === null || order === undefined) return null;
  if (found.execution === null || found.execution.fence !== ref.fence) return null;
  const patch = patchRows.find((row) => row.fence === ref.fence);
  return {
    ...found,
    execution: found.execution,
    order: { projectId: order.projectId, id: order.id, headCommit: order.headCommit },
    patch: patch ? toPatchSet(patch) : null,
  };
}
