import { and, eq, type SQL, sql } from "drizzle-orm";
import { type GuardName, stands } from "../domain/guards.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { PatchRef, PatchSetStore } from "../domain/ports/patchSetStore.ts";
import {
  isFinalTask,
  type PatchSetEvent,
  patchSetTransitions,
  type TaskEvent,
  taskTransitions,
} from "../domain/states.ts";
import type { Outcome } from "../domain/task.ts";
import { logPlace } from "./executionStore.ts";
import { type Database, guardedBatch, mustHaveChanged, type Statement } from "./guardedBatch.ts";
import { patchSets } from "./runTables.ts";
import { orders, tasks } from "./schema.ts";
import {
  insertTask,
  outcomeColumns,
  patchSetGuard,
  taskGuard,
  writeLog,
  writeNotice,
} from "./writes.ts";

type PatchColumns = Omit<Partial<typeof patchSets.$inferInsert>, "auditHead"> & {
  auditHead?: SQL;
};

/** The newest seal of the chain of a task's project. */
const auditHeadOf = ({ organizationId, taskId }: PatchRef): SQL => sql`(
  select s.number || ':' || s.hash from operation_log_seals s
  where s.organization_id = ${organizationId} and s.project_id = (
    select t.project_id from tasks t where t.organization_id = ${organizationId} and t.id = ${taskId})
  order by s.number desc limit 1)`;

/** Patch sets in D1. */
export function d1PatchSetStore(db: Database, ids: Ids): PatchSetStore {
  const movePatch = (
    ref: PatchRef,
    event: PatchSetEvent,
    columns: PatchColumns,
    nowMs: number,
    guard?: GuardName,
  ): Statement[] => [
    db
      .update(patchSets)
      .set({ ...columns, status: patchSetTransitions[event].to, updatedAtMs: nowMs })
      .where(patchSetGuard(ref, event, guard)),
    mustHaveChanged(db),
  ];

  const moveTask = (
    ref: PatchRef,
    event: TaskEvent,
    outcome: Outcome | null,
    nowMs: number,
    options: { columns?: Partial<typeof tasks.$inferInsert>; guard?: GuardName } = {},
  ): Statement[] => {
    const status = taskTransitions[event].to;
    const final = isFinalTask(status);
    const end = { sweepAtMs: null, finishedAtMs: nowMs, ...outcomeColumns(outcome) };
    const { columns = {}, guard } = options;
    return [
      db
        .update(tasks)
        .set({ status, updatedAtMs: nowMs, ...columns, ...(final ? end : {}) })
        .where(
          taskGuard(ref, event, {
            refuseCancelled: !final && stands("verify_not_cancelled"),
            ...(guard === undefined ? {} : { guard }),
          }),
        ),
      mustHaveChanged(db),
    ];
  };

  return {
    beginValidation: (ref, { treeId, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "begin_validation", { treeId, auditHead: auditHeadOf(ref) }, nowMs),
        ...moveTask(ref, "begin_validation", null, nowMs),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    beginDelivery: (ref, { commitSha, validation, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "begin_delivery", { commitSha, validation }, nowMs),
        ...moveTask(ref, "begin_delivery", null, nowMs),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    deliver: (ref, input) =>
      guardedBatch(db, [
        ...movePatch(ref, "deliver", {}, input.nowMs, "deliver_once"),
        ...moveTask(ref, "deliver", input.outcome, input.nowMs, { guard: "deliver_once" }),
        db
          .update(orders)
          .set({ headCommit: input.commitSha, updatedAtMs: input.nowMs })
          .where(
            and(
              eq(orders.organizationId, ref.organizationId),
              eq(orders.projectId, input.projectId),
              eq(orders.id, input.orderId),
            ),
          ),
        mustHaveChanged(db),
        ...input.notices.map((notice) => writeNotice(db, notice, input.nowMs)),
        writeLog(db, ids, logPlace(ref, input.nowMs), input.log),
      ]),

    awaitApproval: (ref, { waiting, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "await_approval", {}, nowMs),
        ...moveTask(ref, "ask", null, nowMs, {
          columns: { waiting, sweepAtMs: waiting.expiresAtMs },
        }),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    approve: (ref, { by, nowMs, sweepAtMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "approve", { approvedBy: by }, nowMs),
        ...moveTask(ref, "approve", null, nowMs, { columns: { waiting: null, sweepAtMs } }),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    end: (ref, input) =>
      guardedBatch(db, [
        ...movePatch(
          ref,
          input.patchEvent,
          {
            faults: input.faults,
            ...(input.validation === null ? {} : { validation: input.validation }),
          },
          input.nowMs,
          "end_patch_once",
        ),
        ...moveTask(ref, input.taskEvent, input.outcome, input.nowMs, {
          guard: "end_patch_once",
          columns: input.child === null ? {} : { sweepAtMs: input.child.sweepAtMs },
        }),
        ...(input.child === null ? [] : insertTask(db, ids, input.child)),
        ...input.notices.map((notice) => writeNotice(db, notice, input.nowMs)),
        writeLog(db, ids, logPlace(ref, input.nowMs), input.log),
      ]),
  };
}
