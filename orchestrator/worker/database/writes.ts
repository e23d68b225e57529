import { and, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import { type GuardName, stands } from "../domain/guards.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { TaskRef } from "../domain/ports/supervisors.ts";
import type { NewTask } from "../domain/ports/taskStore.ts";
import {
  type ExecutionEvent,
  executionTransitions,
  type PatchSetEvent,
  patchSetTransitions,
  type TaskEvent,
  taskTransitions,
} from "../domain/states.ts";
import type { LogEntry, Notice, Outcome } from "../domain/task.ts";
import type { Database, Statement } from "./guardedBatch.ts";
import { fromTask } from "./rows.ts";
import { aiProviderExecutions, patchSets } from "./runTables.ts";
import { notices, operationLogs, orders, tasks } from "./schema.ts";

/** The parts that every guarded batch is made of. */
export const outcomeColumns = (outcome: Outcome | null) => ({
  outcomeCode: outcome?.code ?? null,
  outcomeMessage: outcome?.message ?? null,
});

/** The guard of a task's transition: the row is there, in a state the table allows, at this fence. */
export function taskGuard(
  ref: TaskRef & { fence?: number },
  event: TaskEvent,
  options: { refuseCancelled?: boolean; guard?: GuardName } = {},
): SQL | undefined {
  const isTask = and(eq(tasks.organizationId, ref.organizationId), eq(tasks.id, ref.taskId));
  const wanted = options.refuseCancelled ? isNull(tasks.cancelRequestedAtMs) : undefined;
  if (options.guard !== undefined && !stands(options.guard)) return and(isTask, wanted);
  return and(
    isTask,
    inArray(tasks.status, [...taskTransitions[event].from]),
    ref.fence === undefined ? undefined : eq(tasks.fence, ref.fence),
    wanted,
  );
}

export const executionKey = (ref: TaskRef & { fence: number }): SQL | undefined =>
  and(
    eq(aiProviderExecutions.organizationId, ref.organizationId),
    eq(aiProviderExecutions.taskUuid, ref.taskId),
    eq(aiProviderExecutions.fence, ref.fence),
  );

export const executionGuard = (
  ref: TaskRef & { fence: number },
  event: ExecutionEvent,
  guard?: GuardName,
): SQL | undefined =>
  and(
    executionKey(ref),
    guard === undefined || stands(guard)
      ? inArray(aiProviderExecutions.status, [...executionTransitions[event].from])
      : undefined,
  );

export const patchSetGuard = (
  ref: TaskRef & { fence: number; patchSetId: string },
  event: PatchSetEvent,
  guard?: GuardName,
): SQL | undefined =>
  and(
    eq(patchSets.organizationId, ref.organizationId),
    eq(patchSets.taskId, ref.taskId),
    eq(patchSets.id, ref.patchSetId),
    eq(patchSets.fence, ref.fence),
    guard === undefined || stands(guard)
      ? inArray(patchSets.status, [...patchSetTransitions[event].from])
      : undefined,
  );

/** A new task with its order and its first log line. */
export const insertTask = (
  db: Database,
  ids: Ids,
  { task, sweepAtMs, log }: NewTask,
): Statement[] => {
  const { organizationId, projectId, orderId, createdAtMs: nowMs } = task;
  const order = { organizationId, projectId, id: orderId, createdAtMs: nowMs, updatedAtMs: nowMs };
  return [
    db.insert(orders).values(order).onConflictDoNothing(),
    db.insert(tasks).values(fromTask(task, sweepAtMs)),
    writeLog(db, ids, { organizationId, subjectId: task.id, projectId, nowMs }, log),
  ];
};

/**
 * A line of the audit trail, at the end of its chain. Without a project it belongs to the one of the task that it is
 * about, and else to the organization's own chain. Writes come one after another, so places have no gap and no double.
 */
export const writeLog = (
  db: Database,
  ids: Ids,
  at: { organizationId: string; subjectId: string; projectId: string | null; nowMs: number },
  entry: LogEntry,
): Statement => {
  const { organizationId, subjectId } = at;
  const projectId =
    at.projectId === null
      ? sql`coalesce((select t.project_id from tasks t where t.organization_id = ${organizationId} and t.id = ${subjectId}), '')`
      : sql`${at.projectId}`;
  return db.insert(operationLogs).values({
    organizationId,
    subjectId,
    projectId,
    id: ids.next("log"),
    actor: entry.actor,
    action: entry.action,
    message: entry.message,
    details: entry.details ?? null,
    atMs: at.nowMs,
    seq: sql`(select coalesce(max(l.seq), 0) + 1 from operation_logs l where l.organization_id = ${organizationId} and l.project_id = ${projectId})`,
  });
};

/** An inbox notice is delivered by being written; a callback waits to be sent. */
export const writeNotice = (db: Database, notice: Notice, nowMs: number): Statement =>
  db.insert(notices).values({
    ...notice,
    status: notice.channel === "inbox" ? "sent" : "pending",
    nextAttemptAtMs: notice.channel === "inbox" ? null : nowMs,
    createdAtMs: nowMs,
    sentAtMs: notice.channel === "inbox" ? nowMs : null,
  });
