import { and, eq, lte, type SQL, sql } from "drizzle-orm";
import { stands } from "../domain/guards.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { TaskRef } from "../domain/ports/supervisors.ts";
import type { TaskStore } from "../domain/ports/taskStore.ts";
import { executionTransitions, patchSetTransitions, taskTransitions } from "../domain/states.ts";
import {
  type Database,
  guardedBatch,
  mustHaveChanged,
  reading,
  type Statement,
} from "./guardedBatch.ts";
import { toTask } from "./rows.ts";
import { aiProviderExecutions, patchSets } from "./runTables.ts";
import { tasks } from "./schema.ts";
import { outcomeColumns, taskGuard, writeLog, writeNotice } from "./writes.ts";

type WaitingStore = Pick<
  TaskStore,
  "park" | "unpark" | "answer" | "findChild" | "endParent" | "endWaiting"
>;

/** What happens to a task that nobody works on: it is put aside, taken up again, answered, or it ends. */
export function waitingWrites(db: Database, ids: Ids): WaitingStore {
  const place = (ref: TaskRef, nowMs: number) => ({
    organizationId: ref.organizationId,
    subjectId: ref.taskId,
    projectId: null,
    nowMs,
  });
  const moveTask = (columns: Partial<typeof tasks.$inferInsert>, guard: SQL | undefined) => [
    db.update(tasks).set(columns).where(guard),
    mustHaveChanged(db),
  ];

  return {
    park: (ref, { fence, untilMs, reason, nowMs, log }) =>
      guardedBatch(db, [
        ...moveTask(
          {
            status: taskTransitions.park.to,
            notBeforeMs: untilMs,
            notBeforeReason: reason,
            sweepAtMs: untilMs,
            updatedAtMs: nowMs,
          },
          and(taskGuard({ ...ref, fence }, "park"), eq(tasks.status, "queued")),
        ),
        writeLog(db, ids, place(ref, nowMs), log),
      ]),

    unpark: (ref, { fence, nowMs, sweepAtMs, log }) =>
      guardedBatch(db, [
        ...moveTask(
          {
            status: taskTransitions.unpark.to,
            notBeforeMs: null,
            notBeforeReason: null,
            sweepAtMs,
            updatedAtMs: nowMs,
          },
          and(
            taskGuard({ ...ref, fence }, "unpark"),
            stands("unpark_when_due") ? lte(tasks.notBeforeMs, nowMs) : undefined,
          ),
        ),
        writeLog(db, ids, place(ref, nowMs), log),
      ]),

    answer: (ref, { fence, resume, deadlineAtMs, nowMs, sweepAtMs, log }) =>
      guardedBatch(db, [
        ...moveTask(
          {
            status: taskTransitions.answer.to,
            waiting: null,
            resume,
            deadlineAtMs,
            sweepAtMs,
            updatedAtMs: nowMs,
          },
          taskGuard({ ...ref, fence }, "answer", { guard: "answer_once" }),
        ),
        endSuspended(db, ref, "hand_over"),
        writeLog(db, ids, place(ref, nowMs), log),
      ]),

    findChild: (ref) =>
      reading(async () => {
        const row = await db
          .select()
          .from(tasks)
          .where(
            and(eq(tasks.organizationId, ref.organizationId), eq(tasks.id, newestChildId(ref))),
          )
          .get();
        return row ? toTask(row) : null;
      }),

    endParent: (ref, { event, outcome, notices, nowMs, log }) =>
      guardedBatch(db, [
        ...moveTask(
          endColumns(taskTransitions[event].to, outcome, nowMs),
          and(taskGuard(ref, event), eq(tasks.status, "remediating")),
        ),
        ...notices.map((notice) => writeNotice(db, notice, nowMs)),
        writeLog(db, ids, place(ref, nowMs), log),
      ]),

    endWaiting: (ref, { event, fence, outcome, notices, nowMs, log }) =>
      guardedBatch(db, [
        ...moveTask(
          endColumns(taskTransitions[event].to, outcome, nowMs),
          taskGuard(fence === undefined ? ref : { ...ref, fence }, endsOnlyWaiting),
        ),
        endSuspended(db, ref, event === "escalate" ? "expire" : "cancel"),
        db
          .update(patchSets)
          .set({ status: patchSetTransitions.fail.to, updatedAtMs: nowMs })
          .where(
            and(
              eq(patchSets.organizationId, ref.organizationId),
              eq(patchSets.taskId, ref.taskId),
              eq(patchSets.status, "awaiting_approval"),
            ),
          ),
        ...notices.map((notice) => writeNotice(db, notice, nowMs)),
        writeLog(db, ids, place(ref, nowMs), log),
      ]),
  };
}

/** By itself SQLite takes the primary key, and reads every task that the organization ever had. */
const newestChildId = ({ organizationId, taskId }: TaskRef) => sql`(
  select max(id) from tasks indexed by tasks_by_parent
  where organization_id = ${organizationId} and parent_id = ${taskId})`;

/** `escalate` is possible from working states too, but there only a supervisor may do it. */
const endsOnlyWaiting = "cancel_waiting";

const endColumns = (
  status: "completed" | "failed" | "cancelled" | "escalated",
  outcome: Parameters<typeof outcomeColumns>[0],
  nowMs: number,
) => ({
  status,
  ...outcomeColumns(outcome),
  waiting: null,
  sweepAtMs: null,
  updatedAtMs: nowMs,
  finishedAtMs: nowMs,
});

/** The attempt that waits for a person, if there is one, ends with the waiting. */
const endSuspended = (
  db: Database,
  ref: TaskRef,
  event: "hand_over" | "expire" | "cancel",
): Statement =>
  db
    .update(aiProviderExecutions)
    .set({ status: executionTransitions[event].to })
    .where(
      and(
        eq(aiProviderExecutions.organizationId, ref.organizationId),
        eq(aiProviderExecutions.taskUuid, ref.taskId),
        eq(aiProviderExecutions.status, "suspended"),
      ),
    );
