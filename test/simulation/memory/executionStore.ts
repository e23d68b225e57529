import { stands } from "../../../orchestrator/worker/domain/guards.ts";
import type {
  AttemptRef,
  ExecutionStore,
  Settlement,
} from "../../../orchestrator/worker/domain/ports/executionStore.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { Guarded } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import {
  executionTransitions,
  isFinalTask,
  taskTransitions,
} from "../../../orchestrator/worker/domain/states.ts";
import { guardedExecution, guardedTask } from "./guards.ts";
import { putExecution, putPatchSet } from "./put.ts";
import { type ExecutionRow, patchSetKey, type Tables, type TaskRow, taskKey } from "./tables.ts";
import { findBrief } from "./taskReads.ts";
import {
  changeTask,
  checkNewNotices,
  checkNewTask,
  commit,
  endColumns,
  insertTask,
  lost,
  storeError,
  writeNotices,
  writeTaskLog,
} from "./writes.ts";

/** Attempts in memory. */
export const memoryExecutionStore = (tables: Tables, ids: Ids): ExecutionStore => ({
  findBrief: async (ref) => findBrief(tables, ref),

  async findWish(ref) {
    const task = tables.tasks.get(taskKey(ref))?.task;
    if (task === undefined) return null;
    return { fence: task.fence, cancelRequested: task.cancelRequestedAtMs !== null };
  },

  async enterStarting(ref, nowMs) {
    const row = guardedExecution(tables, ref, "enter_starting", "gate_once");
    if (row === null || !isCurrentAndWanted(tables, ref)) return { kind: "lost" };
    const { to: status } = executionTransitions.enter_starting;
    const execution = { ...row.execution, status };
    putExecution(tables, { ...row, execution, startedAtMs: nowMs });
    commit(tables);
    const brief = findBrief(tables, ref);
    return brief === null ? { kind: "lost" } : { kind: "done", brief };
  },

  async markRunning(ref, nowMs, log) {
    const execution = guardedExecution(tables, ref, "run");
    const task = guardedTask(tables, ref, "start");
    if (execution === null || task === null) return lost;
    const { to: status } = executionTransitions.run;
    putExecution(tables, { ...execution, execution: { ...execution.execution, status } });
    changeTask(tables, task, { status: taskTransitions.start.to, updatedAtMs: nowMs });
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },

  settle: async (settlement) => settle(tables, ids, settlement),

  async countLive(organizationId, provider) {
    let live = 0;
    for (const { execution } of tables.index.liveExecutions.values())
      if (execution.organizationId === organizationId && execution.provider === provider) live += 1;
    return live;
  },
});

/** The task is still at this fence and nobody asked to cancel it. */
function isCurrentAndWanted(tables: Tables, ref: AttemptRef): boolean {
  const task = tables.tasks.get(taskKey(ref))?.task;
  if (task === undefined || task.fence !== ref.fence) return false;
  return task.cancelRequestedAtMs === null || !stands("gate_not_cancelled");
}

function settle(tables: Tables, ids: Ids, input: Settlement): Guarded {
  const { ref, taskEvent, nowMs } = input;
  // Work that goes on must not pass a cancel that was asked for meanwhile; an end may.
  const goesOn =
    !isFinalTask(taskTransitions[taskEvent].to) || taskEvent === "finish_without_patch";
  const execution = guardedExecution(tables, ref, input.executionEvent, "settle_once");
  const task = guardedTask(tables, ref, taskEvent, {
    refuseCancelled: goesOn && stands("settle_not_cancelled"),
    guard: "settle_once",
  });
  if (execution === null || task === null) return lost;
  checkNewPatch(tables, input.patch);
  if (input.child !== null) checkNewTask(tables, input.child);
  checkNewNotices(tables, input.notices);

  settleExecution(tables, execution, input);
  settleTask(tables, task, input);
  insertPatch(tables, input);
  if (input.child !== null) insertTask(tables, ids, input.child);
  writeNotices(tables, input.notices, nowMs);
  for (const entry of input.log) writeTaskLog(tables, ids, ref, nowMs, entry);
  return commit(tables);
}

function settleExecution(tables: Tables, row: ExecutionRow, input: Settlement): void {
  const { result } = input;
  putExecution(tables, {
    ...row,
    execution: {
      ...row.execution,
      status: executionTransitions[input.executionEvent].to,
      sessionId: result.sessionId,
      usage: result.usage,
      events: result.events,
      durationMs: result.durationMs,
      settledAtMs: input.nowMs,
      outcome: input.outcome,
    },
    output: result.output,
    patchData: input.patch?.id ?? null,
  });
}

function settleTask(tables: Tables, row: TaskRow, input: Settlement): void {
  const status = taskTransitions[input.taskEvent].to;
  const changes = {
    status,
    notBeforeMs: input.notBeforeMs,
    notBeforeReason: input.notBeforeReason,
    waiting: input.waiting,
    retries: row.task.retries + (input.taskEvent === "retry" ? 1 : 0),
    updatedAtMs: input.nowMs,
    ...(isFinalTask(status) ? endColumns(input.outcome, input.nowMs) : {}),
  };
  changeTask(tables, row, changes, input.sweepAtMs);
}

function checkNewPatch(tables: Tables, patch: Settlement["patch"]): void {
  if (patch === null) return;
  if (tables.patchSets.has(patchSetKey({ ...patch, patchSetId: patch.id })))
    throw storeError("UNIQUE constraint failed: patch_sets.id");
  const others = tables.index.patchSetsOf.get(taskKey(patch)) ?? [];
  if (others.some((other) => other.patch.contentKey === patch.contentKey))
    throw storeError("UNIQUE constraint failed: patch_sets.content_key");
  if (!tables.tasks.has(taskKey(patch))) throw storeError("FOREIGN KEY constraint failed");
}

function insertPatch(tables: Tables, { patch, nowMs }: Settlement): void {
  if (patch === null) return;
  putPatchSet(tables, {
    patch: {
      ...patch,
      ontoCommit: null,
      status: "received",
      commitSha: null,
      validation: null,
      approvalReasons: null,
      approvedBy: null,
      approvedBinding: null,
      auditHead: null,
      faults: [],
    },
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  });
}
