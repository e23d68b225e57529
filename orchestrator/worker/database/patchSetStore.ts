import { and, desc, eq, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import { bindingOf, type Committed } from "../domain/approval.ts";
import { type GuardName, stands } from "../domain/guards.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { PatchRef, PatchSetFilter, PatchSetStore } from "../domain/ports/patchSetStore.ts";
import {
  isFinalTask,
  type PatchSetEvent,
  type PatchSetStatus,
  patchSetTransitions,
  type TaskEvent,
  taskTransitions,
} from "../domain/states.ts";
import type { Outcome } from "../domain/task.ts";
import { logPlace } from "./executionStore.ts";
import {
  type Database,
  guardedBatch,
  mustHaveChanged,
  reading,
  type Statement,
} from "./guardedBatch.ts";
import { toPatchSet } from "./rows.ts";
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

/** What holds of one tree only, and is void when another one has to be made. */
const unverified = {
  treeId: null,
  commitSha: null,
  validation: null,
  approvalReasons: null,
  approvedBy: null,
  approvedBinding: null,
} as const satisfies Partial<typeof patchSets.$inferInsert>;

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
    { guard, only }: { guard?: GuardName; only?: SQL | undefined } = {},
  ): Statement[] => [
    db
      .update(patchSets)
      .set({ ...columns, status: patchSetTransitions[event].to, updatedAtMs: nowMs })
      .where(and(patchSetGuard(ref, event, guard), only)),
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
            refuseCancelled: (!final || event === "find_applied") && stands("verify_not_cancelled"),
            ...(guard === undefined ? {} : { guard }),
          }),
        ),
      mustHaveChanged(db),
    ];
  };

  return {
    find: (organizationId, id) =>
      reading(async () => {
        const isPatchSet = and(
          eq(patchSets.organizationId, organizationId),
          eq(patchSets.taskId, taskIdOf(organizationId, id)),
          eq(patchSets.id, id),
        );
        const row = await db.select().from(patchSets).where(isPatchSet).get();
        return row ? toPatchSet(row) : null;
      }),

    list: (filter) => reading(async () => (await listPatchSets(db, filter)).map(toPatchSet)),

    beginValidation: (ref, { treeId, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "begin_validation", { treeId, auditHead: auditHeadOf(ref) }, nowMs),
        ...moveTask(ref, "begin_validation", null, nowMs),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    beginDelivery: (ref, { commitSha, validation, nowMs, log, ...input }) =>
      guardedBatch(db, [
        ...movePatch(ref, "begin_delivery", { commitSha, validation }, nowMs, {
          only: isDeliverable(input),
        }),
        ...moveTask(ref, "begin_delivery", null, nowMs),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    deliver: (ref, input) =>
      guardedBatch(db, [
        ...movePatch(ref, "deliver", {}, input.nowMs, { guard: "deliver_once" }),
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

    bringOnto: (ref, { projectId, orderId, from, to, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "bring_onto", { ...unverified, ontoCommit: to }, nowMs),
        ...moveTask(ref, "bring_onto", null, nowMs),
        db
          .update(orders)
          .set({ headCommit: to, updatedAtMs: nowMs })
          .where(
            and(
              eq(orders.organizationId, ref.organizationId),
              eq(orders.projectId, projectId),
              eq(orders.id, orderId),
              from === null ? isNull(orders.headCommit) : eq(orders.headCommit, from),
            ),
          ),
        mustHaveChanged(db),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    findApplied: (ref, { validation, outcome, notices, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(ref, "find_applied", { validation }, nowMs, { guard: "end_patch_once" }),
        ...moveTask(ref, "find_applied", outcome, nowMs, { guard: "end_patch_once" }),
        ...notices.map((notice) => writeNotice(db, notice, nowMs)),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    awaitApproval: (ref, { reasons, validation, waiting, nowMs, log }) =>
      guardedBatch(db, [
        ...movePatch(
          ref,
          "await_approval",
          { approvalReasons: reasons, validation, approvedBy: null, approvedBinding: null },
          nowMs,
        ),
        ...moveTask(ref, "ask", null, nowMs, {
          columns: { waiting, sweepAtMs: waiting.expiresAtMs },
        }),
        writeLog(db, ids, logPlace(ref, nowMs), log),
      ]),

    approve: (ref, { by, approved, nowMs, sweepAtMs, log }) =>
      guardedBatch(db, [
        ...movePatch(
          ref,
          "approve",
          { approvedBy: by, approvedBinding: bindingOf(approved) },
          nowMs,
          { only: and(isRowOf(approved), eq(patchSets.contentKey, approved.contentKey)) },
        ),
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
          { guard: "end_patch_once" },
        ),
        ...moveTask(ref, input.taskEvent, input.outcome, input.nowMs, {
          guard: "end_patch_once",
          columns: {
            waiting: null,
            ...(input.child === null ? {} : { sweepAtMs: input.child.sweepAtMs }),
          },
        }),
        ...(input.child === null ? [] : insertTask(db, ids, input.child)),
        ...input.notices.map((notice) => writeNotice(db, notice, input.nowMs)),
        writeLog(db, ids, logPlace(ref, input.nowMs), input.log),
      ]),
  };
}

const listPatchSets = (db: Database, { organizationId, status, before, limit }: PatchSetFilter) =>
  db
    .select()
    .from(patchSets)
    .where(
      and(
        eq(patchSets.organizationId, organizationId),
        status === undefined ? undefined : hasStatus(status),
        before === undefined ? undefined : lt(patchSets.id, before),
      ),
    )
    .orderBy(desc(patchSets.id))
    .limit(limit);

/** By itself SQLite takes the primary key, and reads every patch set of the organization. */
const taskIdOf = (organizationId: string, id: string) => sql`(
  select task_id from patch_sets indexed by patch_sets_by_id
  where organization_id = ${organizationId} and id = ${id} limit 1)`;

/** A literal, since the index of those that wait is not taken for a parameter. */
const hasStatus = (status: PatchSetStatus): SQL =>
  status === "awaiting_approval" ? sql`status = 'awaiting_approval'` : eq(patchSets.status, status);

const isRowOf = ({ baseCommit, ontoCommit, treeId }: Committed): SQL | undefined =>
  and(
    eq(patchSets.baseCommit, baseCommit),
    ontoCommit === null ? isNull(patchSets.ontoCommit) : eq(patchSets.ontoCommit, ontoCommit),
    eq(patchSets.treeId, treeId),
  );

/** Whatever changed in the row since somebody looked at it makes another binding of it: `bindingOf`. */
const approvedAsItIs = sql`approved_binding = content_key || ':' || base_commit || coalesce(':' || onto_commit, '') || ':' || tree_id`;

function isDeliverable({
  committed,
  needsApproval,
}: Pick<Parameters<PatchSetStore["beginDelivery"]>[1], "committed" | "needsApproval">):
  | SQL
  | undefined {
  if (!stands("approval_binds")) return undefined;
  const approved = needsApproval
    ? approvedAsItIs
    : or(isNull(patchSets.approvalReasons), approvedAsItIs);
  return and(isRowOf(committed), approved);
}
