import { and, desc, eq, isNull, lt, lte, ne, sql } from "drizzle-orm";
import { stands } from "../domain/guards.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { TaskRef } from "../domain/ports/supervisors.ts";
import type { TaskFilter, TaskStore } from "../domain/ports/taskStore.ts";
import type { Task } from "../domain/task.ts";
import { claim, liveQueries } from "./claim.ts";
import {
  type Database,
  guardedBatch,
  mentions,
  mustHaveChanged,
  reading,
  type Statement,
} from "./guardedBatch.ts";
import { orderReads } from "./orderReads.ts";
import { toProject, toTask } from "./rows.ts";
import { idempotencyRecords, projects, tasks } from "./schema.ts";
import { sweepReads } from "./sweepReads.ts";
import { findContext, findStory } from "./taskReads.ts";
import { waitingWrites } from "./waitingWrites.ts";
import { insertTask, taskGuard, writeLog } from "./writes.ts";

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
    ...waitingWrites(db, ids),
    ...orderReads(db),
    claim: (input) => claim(db, ids, input),
    findContext: (ref) => reading(() => findContext(db, ref)),
    findStory: (ref) => reading(() => findStory(db, ref)),

    findForAccept: (organizationId, projectId, key) =>
      reading(async () => {
        const [projectRows, records] = await db.batch([
          db
            .select()
            .from(projects)
            .where(
              and(eq(projects.organizationId, organizationId), eq(projects.id, projectId ?? "")),
            ),
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
      const record = idempotency && { organizationId: task.organizationId, ...idempotency };
      try {
        return await guardedBatch(db, [
          ...(record ? insertKey(db, record, task.createdAtMs) : []),
          ...insertTask(db, ids, { task, sweepAtMs, log }),
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

    liveCounts: (at) =>
      reading(async () => {
        const { all, provider, organization, project } = liveQueries(db, at);
        const [[a], [b], [c], [d]] = await db.batch([all, provider, organization, project]);
        return {
          all: a?.live ?? 0,
          provider: b?.live ?? 0,
          organization: c?.live ?? 0,
          project: d?.live ?? 0,
        };
      }),

    forgetExpiredKeys: (nowMs, limit) =>
      reading(async () => {
        const forgotten = await db.run(sql`
          delete from idempotency_records where (organization_id, key) in (
            select organization_id, key from idempotency_records
            where expires_at_ms <= ${nowMs} limit ${limit})`);
        return forgotten.meta.changes;
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

    requestCancel: (ref, nowMs, log) =>
      guardedBatch(db, [
        db
          .update(tasks)
          .set({ cancelRequestedAtMs: nowMs, updatedAtMs: nowMs, sweepAtMs: nowMs })
          .where(and(taskGuard(ref, "cancel_confirmed"), isNull(tasks.cancelRequestedAtMs))),
        mustHaveChanged(db),
        ...(stands("cancel_child") ? [cancelDescendants(db, ref, nowMs)] : []),
        writeLog(db, ids, at(ref, nowMs), log),
      ]),
  };
}

/** Those that remediate a task, however deep: they are in its order, and below it. */
const cancelDescendants = (db: Database, ref: TaskRef, nowMs: number): Statement =>
  db
    .update(tasks)
    .set({ cancelRequestedAtMs: nowMs, updatedAtMs: nowMs, sweepAtMs: nowMs })
    .where(
      and(
        eq(tasks.organizationId, ref.organizationId),
        // By itself SQLite takes the primary key, and reads every task that the organization ever had.
        sql`${tasks.id} in (
          select below.id from tasks root
          cross join tasks below indexed by tasks_of_order
          where root.organization_id = ${ref.organizationId} and root.id = ${ref.taskId}
            and root.status = 'remediating'
            and below.organization_id = root.organization_id
            and below.project_id = root.project_id and below.order_id = root.order_id
            and below.finished_at_ms is null and below.parent_id is not null
            and below.depth > root.depth)`,
        isNull(tasks.cancelRequestedAtMs),
        ne(tasks.status, "delivering"),
      ),
    );

function insertKey(
  db: Database,
  record: typeof idempotencyRecords.$inferInsert,
  nowMs: number,
): Statement[] {
  const insert = db.insert(idempotencyRecords).values(record);
  const expired = db
    .delete(idempotencyRecords)
    .where(
      and(
        eq(idempotencyRecords.organizationId, record.organizationId),
        eq(idempotencyRecords.key, record.key),
        lte(idempotencyRecords.expiresAtMs, nowMs),
      ),
    );
  return [expired, stands("idempotency_key") ? insert : insert.onConflictDoNothing()];
}

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
