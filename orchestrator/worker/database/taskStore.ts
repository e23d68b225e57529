import { and, desc, eq, isNull, lt, sql } from "drizzle-orm";
import type { Ids } from "../domain/ports/ids.ts";
import type { TaskRef } from "../domain/ports/supervisors.ts";
import type { TaskFilter, TaskStore } from "../domain/ports/taskStore.ts";
import { taskTransitions } from "../domain/states.ts";
import type { Task } from "../domain/task.ts";
import { claim } from "./claim.ts";
import { type Database, guardedBatch, mentions, mustHaveChanged, reading } from "./guardedBatch.ts";
import { fromTask, toProject, toTask } from "./rows.ts";
import { idempotencyRecords, orders, projects, tasks } from "./schema.ts";
import { sweepReads } from "./sweepReads.ts";
import { findContext, findStory } from "./taskReads.ts";
import { outcomeColumns, taskGuard, writeLog, writeNotice } from "./writes.ts";

/** Tasks in D1. */
export function d1TaskStore(db: Database, ids: Ids): TaskStore {
  const at = (ref: TaskRef, nowMs: number, projectId: string | null = null) => ({
    organizationId: ref.organizationId,
    subjectId: ref.taskId,
    projectId,
    nowMs,
  });

  return {
    ...sweepReads(db),
    claim: (input) => claim(db, ids, input),
    findContext: (ref) => reading(() => findContext(db, ref)),
    findStory: (ref) => reading(() => findStory(db, ref)),

    findForAccept: (organizationId, projectId, key) =>
      reading(async () => {
        const [projectRows, records] = await db.batch([
          db
            .select()
            .from(projects)
            .where(and(eq(projects.organizationId, organizationId), eq(projects.id, projectId))),
          db
            .select()
            .from(idempotencyRecords)
            .where(
              and(
                eq(idempotencyRecords.organizationId, organizationId),
                eq(idempotencyRecords.key, key ?? ""),
              ),
            ),
        ]);
        const project = projectRows[0];
        return { project: project ? toProject(project) : null, replay: records[0] ?? null };
      }),

    async accept({ task, idempotency, sweepAtMs, log }) {
      const { organizationId, projectId, createdAtMs } = task;
      const record = idempotency && { organizationId, ...idempotency };
      const order = {
        organizationId,
        projectId,
        id: task.orderId,
        createdAtMs,
        updatedAtMs: createdAtMs,
      };
      try {
        return await guardedBatch(db, [
          ...(record ? [db.insert(idempotencyRecords).values(record)] : []),
          db.insert(orders).values(order).onConflictDoNothing(),
          db.insert(tasks).values(fromTask(task, sweepAtMs)),
          writeLog(db, ids, at({ organizationId, taskId: task.id }, createdAtMs, projectId), log),
        ]);
      } catch (error) {
        if (mentions(error, "UNIQUE constraint failed: idempotency_records"))
          return { kind: "lost" };
        throw error;
      }
    },

    find: (ref) =>
      reading(async () => {
        const row = await db
          .select()
          .from(tasks)
          .where(and(eq(tasks.organizationId, ref.organizationId), eq(tasks.id, ref.taskId)))
          .get();
        return row ? toTask(row) : null;
      }),

    list: (filter) => reading(() => listTasks(db, filter)),

    delay: (ref, { fence, untilMs, reason, nowMs }) =>
      guardedBatch(db, [
        db
          .update(tasks)
          .set({
            notBeforeMs: untilMs,
            notBeforeReason: reason,
            delays: sql`${tasks.delays} + 1`,
            sweepAtMs: untilMs,
            updatedAtMs: nowMs,
          })
          .where(taskGuard({ ...ref, fence }, "claim")),
        mustHaveChanged(db),
      ]),

    prefer: (ref, provider, nowMs, log) =>
      guardedBatch(db, [
        db
          .update(tasks)
          .set({ preferredProvider: provider, allowFallback: false, updatedAtMs: nowMs })
          .where(taskGuard(ref, "claim")),
        mustHaveChanged(db),
        writeLog(db, ids, at(ref, nowMs), log),
      ]),

    endWaiting: (ref, { event, outcome, notices, nowMs, log }) =>
      guardedBatch(db, [
        db
          .update(tasks)
          .set({
            status: taskTransitions[event].to,
            ...outcomeColumns(outcome),
            sweepAtMs: null,
            updatedAtMs: nowMs,
            finishedAtMs: nowMs,
          })
          .where(and(taskGuard(ref, event), waitsOnly(event))),
        mustHaveChanged(db),
        ...notices.map((notice) => writeNotice(db, notice, nowMs)),
        writeLog(db, ids, at(ref, nowMs), log),
      ]),

    requestCancel: (ref, nowMs, log) =>
      guardedBatch(db, [
        db
          .update(tasks)
          .set({ cancelRequestedAtMs: nowMs, updatedAtMs: nowMs, sweepAtMs: nowMs })
          .where(and(taskGuard(ref, "cancel_confirmed"), isNull(tasks.cancelRequestedAtMs))),
        mustHaveChanged(db),
        writeLog(db, ids, at(ref, nowMs), log),
      ]),
  };
}

/** `escalate` is possible from working states too, but there only a supervisor may do it. */
const waitsOnly = (event: "escalate" | "cancel_waiting") =>
  event === "escalate" ? eq(tasks.status, "queued") : undefined;

async function listTasks(db: Database, filter: TaskFilter): Promise<Task[]> {
  const rows = await db
    .select()
    .from(tasks)
    .where(
      and(
        eq(tasks.organizationId, filter.organizationId),
        filter.status && eq(tasks.status, filter.status),
        filter.projectId === undefined ? undefined : eq(tasks.projectId, filter.projectId),
        filter.before === undefined ? undefined : lt(tasks.id, filter.before),
      ),
    )
    .orderBy(desc(tasks.id))
    .limit(filter.limit);
  return rows.map(toTask);
}
