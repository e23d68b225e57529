import { bindingOf, type Committed } from "../../../orchestrator/worker/domain/approval.ts";
import { type GuardName, stands } from "../../../orchestrator/worker/domain/guards.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type {
  PatchRef,
  PatchSetStore,
} from "../../../orchestrator/worker/domain/ports/patchSetStore.ts";
import type { Guarded, NewTask } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import {
  isFinalTask,
  type PatchSetEvent,
  patchSetTransitions,
  type TaskEvent,
  taskTransitions,
} from "../../../orchestrator/worker/domain/states.ts";
import type {
  LogEntry,
  Notice,
  Outcome,
  PatchSetRecord,
  Waiting,
} from "../../../orchestrator/worker/domain/task.ts";
import { auditHeadOf } from "./auditStore.ts";
import { guardedPatchSet, guardedTask } from "./guards.ts";
import { byText, putPatchSet } from "./put.ts";
import { type OrderRow, orderKey, type Tables, type TaskRow, taskKey } from "./tables.ts";
import {
  changeTask,
  checkNewNotices,
  checkNewTask,
  commit,
  endColumns,
  insertTask,
  lost,
  writeNotices,
  writeTaskLog,
} from "./writes.ts";

/** With `from`: only if that is its head. */
type MovedOrder = {
  projectId: string;
  orderId: string;
  commitSha: string;
  from?: string | null;
};

/** What one batch does to a task and its patch set. */
type PatchMove = {
  patchEvent: PatchSetEvent;
  taskEvent: TaskEvent;
  columns?: Partial<PatchSetRecord>;
  taskColumns?: { waiting: Waiting | null };
  sweepAtMs?: number;
  guard?: GuardName;
  /** What must hold of the row besides. */
  only?: (patch: PatchSetRecord) => boolean;
  outcome?: Outcome;
  /** Undefined: the order is not touched. */
  order?: MovedOrder;
  child?: NewTask | null;
  notices?: readonly Notice[];
  nowMs: number;
  log: LogEntry;
};

/** Patch sets in memory. */
export const memoryPatchSetStore = (tables: Tables, ids: Ids): PatchSetStore => ({
  find: async (organizationId, id) =>
    patchSetsOf(tables, organizationId).find((patch) => patch.id === id) ?? null,

  list: async ({ organizationId, status, before, limit }) =>
    patchSetsOf(tables, organizationId)
      .filter((patch) => status === undefined || patch.status === status)
      .filter(({ id }) => before === undefined || id < before)
      .sort((a, b) => byText(b.id, a.id))
      .slice(0, limit),

  beginValidation: async (ref, { treeId, ...rest }) =>
    movePatch(tables, ids, ref, {
      patchEvent: "begin_validation",
      taskEvent: "begin_validation",
      columns: { treeId, auditHead: headOf(tables, ref) },
      ...rest,
    }),

  beginDelivery: async (ref, { commitSha, validation, committed, needsApproval, ...rest }) =>
    movePatch(tables, ids, ref, {
      only: (patch) => isDeliverable(patch, committed, needsApproval),
      patchEvent: "begin_delivery",
      taskEvent: "begin_delivery",
      columns: { commitSha, validation },
      ...rest,
    }),

  deliver: async (ref, { projectId, orderId, commitSha, ...rest }) =>
    movePatch(tables, ids, ref, {
      patchEvent: "deliver",
      taskEvent: "deliver",
      guard: "deliver_once",
      order: { projectId, orderId, commitSha },
      ...rest,
    }),

  bringOnto: async (ref, { projectId, orderId, from, to, ...rest }) =>
    movePatch(tables, ids, ref, {
      patchEvent: "bring_onto",
      taskEvent: "bring_onto",
      columns: { ...unverified, ontoCommit: to },
      order: { projectId, orderId, commitSha: to, from },
      ...rest,
    }),

  findApplied: async (ref, { validation, ...rest }) =>
    movePatch(tables, ids, ref, {
      patchEvent: "find_applied",
      taskEvent: "find_applied",
      guard: "end_patch_once",
      columns: { validation },
      ...rest,
    }),

  awaitApproval: async (ref, { reasons, validation, waiting, ...rest }) =>
    movePatch(tables, ids, ref, {
      columns: { approvalReasons: reasons, validation, approvedBy: null, approvedBinding: null },
      patchEvent: "await_approval",
      taskEvent: "ask",
      taskColumns: { waiting },
      sweepAtMs: waiting.expiresAtMs,
      ...rest,
    }),

  approve: async (ref, { by, approved, ...rest }) =>
    movePatch(tables, ids, ref, {
      only: (patch) => isRowOf(patch, approved) && patch.contentKey === approved.contentKey,
      patchEvent: "approve",
      taskEvent: "approve",
      columns: { approvedBy: by, approvedBinding: bindingOf(approved) },
      taskColumns: { waiting: null },
      ...rest,
    }),

  end: async (ref, { faults, validation, child, ...rest }) =>
    movePatch(tables, ids, ref, {
      guard: "end_patch_once",
      columns: validation === null ? { faults } : { faults, validation },
      taskColumns: { waiting: null },
      child,
      ...(child === null ? {} : { sweepAtMs: child.sweepAtMs }),
      ...rest,
    }),
});

const patchSetsOf = (tables: Tables, organizationId: string): PatchSetRecord[] =>
  [...tables.patchSets.values()]
    .map(({ patch }) => patch)
    .filter((patch) => patch.organizationId === organizationId);

/** What holds of one tree only. */
const unverified = {
  treeId: null,
  commitSha: null,
  validation: null,
  approvalReasons: null,
  approvedBy: null,
  approvedBinding: null,
} as const satisfies Partial<PatchSetRecord>;

const isRowOf = (patch: PatchSetRecord, { baseCommit, ontoCommit, treeId }: Committed): boolean =>
  patch.baseCommit === baseCommit && patch.ontoCommit === ontoCommit && patch.treeId === treeId;

function isDeliverable(
  patch: PatchSetRecord,
  committed: Committed,
  needsApproval: boolean,
): boolean {
  if (!stands("approval_binds")) return true;
  if (!isRowOf(patch, committed)) return false;
  const binding = bindingOf({ ...patch, treeId: committed.treeId });
  return (!needsApproval && patch.approvalReasons === null) || patch.approvedBinding === binding;
}

function headOf(tables: Tables, ref: PatchRef): string | null {
  const { organizationId } = ref;
  const task = tables.tasks.get(taskKey(ref))?.task;
  return auditHeadOf(tables, { organizationId, projectId: task?.projectId ?? "" });
}

function movePatch(tables: Tables, ids: Ids, ref: PatchRef, move: PatchMove): Guarded {
  const { notices = [], child = null, nowMs } = move;
  const patch = guardedPatchSet(tables, ref, move.patchEvent, move.guard);
  const task = movableTask(tables, ref, move);
  const order = move.order && findOrder(tables, ref.organizationId, move.order);
  if (patch === null || task === null || order === null) return lost;
  if (move.only?.(patch.patch) === false) return lost;
  if (child !== null) checkNewTask(tables, child);
  checkNewNotices(tables, notices);

  const { to: status } = patchSetTransitions[move.patchEvent];
  const moved = { ...patch.patch, ...move.columns, status };
  putPatchSet(tables, { ...patch, patch: moved, updatedAtMs: nowMs });
  moveTask(tables, task, move);
  if (order !== undefined) moveHead(tables, order, move.order?.commitSha ?? null, nowMs);
  if (child !== null) insertTask(tables, ids, child);
  writeNotices(tables, notices, nowMs);
  writeTaskLog(tables, ids, ref, nowMs, move.log);
  return commit(tables);
}

const movableTask = (
  tables: Tables,
  ref: PatchRef,
  { taskEvent, guard }: PatchMove,
): TaskRow | null =>
  guardedTask(tables, ref, taskEvent, {
    refuseCancelled:
      (!isFinalTask(taskTransitions[taskEvent].to) || taskEvent === "find_applied") &&
      stands("verify_not_cancelled"),
    ...(guard === undefined ? {} : { guard }),
  });

function moveTask(tables: Tables, row: TaskRow, move: PatchMove): void {
  const status = taskTransitions[move.taskEvent].to;
  const final = isFinalTask(status);
  const end = final ? endColumns(move.outcome ?? null, move.nowMs) : {};
  const changes = { status, updatedAtMs: move.nowMs, ...move.taskColumns, ...end };
  changeTask(tables, row, changes, final ? null : (move.sweepAtMs ?? row.sweepAtMs));
}

function findOrder(
  tables: Tables,
  organizationId: string,
  { projectId, orderId, from }: MovedOrder,
): OrderRow | null {
  const row = tables.orders.get(orderKey(organizationId, projectId, orderId)) ?? null;
  return from === undefined || row?.order.headCommit === from ? row : null;
}

function moveHead(tables: Tables, row: OrderRow, headCommit: string | null, nowMs: number): void {
  tables.orders.set(orderKey(row.organizationId, row.order.projectId, row.order.id), {
    ...row,
    order: { ...row.order, headCommit },
    updatedAtMs: nowMs,
  });
}
