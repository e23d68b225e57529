import { capacityReasons } from "../../../orchestrator/worker/domain/dispatch.ts";
import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { SweepItem, TaskStore } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import type { Task } from "../../../orchestrator/worker/domain/task.ts";
import { byText } from "./put.ts";
import { attemptKey, type Tables, type TaskRow, taskKey } from "./tables.ts";
import { changeTask, commit } from "./writes.ts";

type Freed = { organizationId: string; projectId: string };

/** What the sweep asks, and who goes next when a slot is free. */
export const sweepReads = (
  tables: Tables,
): Pick<TaskStore, "dueForSweep" | "postponeSweep" | "nextWaiting"> => ({
  async dueForSweep(nowMs, limit) {
    const due: TaskRow[] = [];
    for (const row of tables.index.toSweep.values())
      if (row.sweepAtMs !== null && row.sweepAtMs <= nowMs) due.push(row);
    return due
      .sort(bySweep)
      .slice(0, limit)
      .map((row) => sweepItem(tables, row));
  },

  async postponeSweep(ref, sweepAtMs, sends) {
    const row = tables.index.toSweep.get(taskKey(ref));
    if (row === undefined) return;
    changeTask(tables, row, { sends }, sweepAtMs);
    commit(tables);
  },

  async nextWaiting(nowMs, limit, freed) {
    const first = new Map<string, Task>();
    for (const { task } of tables.index.queued.values()) {
      const before = first.get(task.organizationId);
      if (before !== undefined && before.id <= task.id) continue;
      if (mayGo(task, nowMs, freed)) first.set(task.organizationId, task);
    }
    return [...first.values()]
      .sort((a, b) => servedAt(tables, a) - servedAt(tables, b) || byIds(a, b))
      .slice(0, limit)
      .map(({ organizationId, id }): TaskRef => ({ organizationId, taskId: id }));
  },
});

const bySweep = (a: TaskRow, b: TaskRow): number =>
  (a.sweepAtMs ?? 0) - (b.sweepAtMs ?? 0) ||
  byText(a.task.organizationId, b.task.organizationId) ||
  byText(a.task.id, b.task.id);

const byIds = (a: Task, b: Task): number =>
  byText(a.id, b.id) || byText(a.organizationId, b.organizationId);

const servedAt = (tables: Tables, task: Task): number =>
  tables.organizations.get(task.organizationId)?.lastClaimAtMs ?? 0;

function sweepItem(tables: Tables, { task }: TaskRow): SweepItem {
  const { organizationId, id: taskId, fence } = task;
  const attempt = tables.executions.get(attemptKey({ organizationId, taskId, fence }));
  return {
    ref: { organizationId, taskId },
    status: task.status,
    fence,
    executionStatus: attempt?.execution.status ?? null,
    sends: task.sends,
    notBeforeMs: task.notBeforeMs,
  };
}

/** A task that waits for a slot goes when one may be free for it, whatever its time says. */
function mayGo(task: Task, nowMs: number, freed: Freed | undefined): boolean {
  const [anywhere, ofOrganization, ofProject] = capacityReasons;
  if (task.notBeforeMs === null || task.notBeforeMs <= nowMs) return true;
  if (task.notBeforeReason === anywhere) return true;
  if (task.organizationId !== freed?.organizationId) return false;
  if (task.notBeforeReason === ofOrganization) return true;
  return task.notBeforeReason === ofProject && task.projectId === freed.projectId;
}
