import { stands } from "../../../orchestrator/worker/domain/guards.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { TaskStore } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import {
  executionTransitions,
  patchSetTransitions,
  taskTransitions,
} from "../../../orchestrator/worker/domain/states.ts";
import { guardedTask } from "./guards.ts";
import { putExecution, putPatchSet } from "./put.ts";
import { idKey, type Tables, taskKey } from "./tables.ts";
import {
  changeTask,
  checkNewNotices,
  commit,
  endColumns,
  lost,
  writeNotices,
  writeTaskLog,
} from "./writes.ts";

type WaitingStore = Pick<
  TaskStore,
  "park" | "unpark" | "answer" | "findChild" | "endParent" | "endWaiting"
>;

/** What happens to a task that nobody works on: it is put aside, taken up again, answered, or it ends. */
export const waitingWrites = (tables: Tables, ids: Ids): WaitingStore => ({
  async park(ref, { fence, untilMs, reason, nowMs, log }) {
    const row = guardedTask(tables, { ...ref, fence }, "park");
    if (row?.task.status !== "queued") return lost;
    const notBefore = { notBeforeMs: untilMs, notBeforeReason: reason };
    const { to: status } = taskTransitions.park;
    changeTask(tables, row, { status, ...notBefore, updatedAtMs: nowMs }, untilMs);
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },

  async unpark(ref, { fence, nowMs, sweepAtMs, log }) {
    const row = guardedTask(tables, { ...ref, fence }, "unpark");
    if (row === null) return lost;
    const { notBeforeMs } = row.task;
    if (stands("unpark_when_due") && !(notBeforeMs !== null && notBeforeMs <= nowMs)) return lost;
    const notBefore = { notBeforeMs: null, notBeforeReason: null };
    const { to: status } = taskTransitions.unpark;
    changeTask(tables, row, { status, ...notBefore, updatedAtMs: nowMs }, sweepAtMs);
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },

  async answer(ref, { fence, resume, deadlineAtMs, nowMs, sweepAtMs, log }) {
    const row = guardedTask(tables, { ...ref, fence }, "answer", { guard: "answer_once" });
    if (row === null) return lost;
    const { to: status } = taskTransitions.answer;
    const columns = { status, waiting: null, resume, deadlineAtMs, updatedAtMs: nowMs };
    changeTask(tables, row, columns, sweepAtMs);
    endSuspended(tables, ref, "hand_over");
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },

  async findChild(ref) {
    const newest = tables.index.children.get(taskKey(ref))?.at(-1);
    if (newest === undefined) return null;
    return tables.tasks.get(idKey(ref.organizationId, newest))?.task ?? null;
  },

  async endParent(ref, { event, outcome, notices, nowMs, log }) {
    const row = guardedTask(tables, ref, event);
    if (row?.task.status !== "remediating") return lost;
    checkNewNotices(tables, notices);
    const { to: status } = taskTransitions[event];
    changeTask(tables, row, { status, waiting: null, ...endColumns(outcome, nowMs) }, null);
    writeNotices(tables, notices, nowMs);
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },

  async endWaiting(ref, { event, fence, outcome, notices, nowMs, log }) {
    // `escalate` is possible from working states too, but there only a supervisor may do it.
    const at = fence === undefined ? ref : { ...ref, fence };
    const row = guardedTask(tables, at, "cancel_waiting");
    if (row === null) return lost;
    checkNewNotices(tables, notices);
    const { to: status } = taskTransitions[event];
    changeTask(tables, row, { status, waiting: null, ...endColumns(outcome, nowMs) }, null);
    endSuspended(tables, ref, event === "escalate" ? "expire" : "cancel");
    endAwaitingApproval(tables, ref, nowMs);
    writeNotices(tables, notices, nowMs);
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },
});

/** The attempt that waits for a person, if there is one, ends with the waiting. */
function endSuspended(
  tables: Tables,
  ref: TaskRef,
  event: "hand_over" | "expire" | "cancel",
): void {
  const { to: status } = executionTransitions[event];
  for (const row of [...(tables.index.executionsOf.get(taskKey(ref)) ?? [])])
    if (row.execution.status === "suspended")
      putExecution(tables, { ...row, execution: { ...row.execution, status } });
}

function endAwaitingApproval(tables: Tables, ref: TaskRef, nowMs: number): void {
  const { to: status } = patchSetTransitions.fail;
  for (const row of [...(tables.index.patchSetsOf.get(taskKey(ref)) ?? [])])
    if (row.patch.status === "awaiting_approval")
      putPatchSet(tables, { ...row, patch: { ...row.patch, status }, updatedAtMs: nowMs });
}
