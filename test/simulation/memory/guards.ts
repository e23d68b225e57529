import { type GuardName, stands } from "../../../orchestrator/worker/domain/guards.ts";
import type { AttemptRef } from "../../../orchestrator/worker/domain/ports/executionStore.ts";
import type { PatchRef } from "../../../orchestrator/worker/domain/ports/patchSetStore.ts";
import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import {
  type ExecutionEvent,
  executionTransitions,
  type PatchSetEvent,
  patchSetTransitions,
  type TaskEvent,
  taskTransitions,
} from "../../../orchestrator/worker/domain/states.ts";
import {
  attemptKey,
  type ExecutionRow,
  type PatchSetRow,
  patchSetKey,
  type Tables,
  type TaskRow,
  taskKey,
} from "./tables.ts";

/** The row that a guarded write may change, or null: the `where` of the SQL stores. */
export function guardedTask(
  tables: Tables,
  ref: TaskRef & { fence?: number },
  event: TaskEvent,
  options: { refuseCancelled?: boolean; guard?: GuardName } = {},
): TaskRow | null {
  const row = tables.tasks.get(taskKey(ref));
  if (row === undefined) return null;
  const { task } = row;
  if (options.refuseCancelled && task.cancelRequestedAtMs !== null) return null;
  if (options.guard !== undefined && !stands(options.guard)) return row;
  if (!isFrom(taskTransitions[event], task.status)) return null;
  return ref.fence === undefined || ref.fence === task.fence ? row : null;
}

export function guardedExecution(
  tables: Tables,
  ref: AttemptRef,
  event: ExecutionEvent,
  guard?: GuardName,
): ExecutionRow | null {
  const row = tables.executions.get(attemptKey(ref));
  if (row === undefined) return null;
  if (guard !== undefined && !stands(guard)) return row;
  return isFrom(executionTransitions[event], row.execution.status) ? row : null;
}

export function guardedPatchSet(
  tables: Tables,
  ref: PatchRef,
  event: PatchSetEvent,
  guard?: GuardName,
): PatchSetRow | null {
  const row = tables.patchSets.get(patchSetKey(ref));
  if (row === undefined || row.patch.fence !== ref.fence) return null;
  if (guard !== undefined && !stands(guard)) return row;
  return isFrom(patchSetTransitions[event], row.patch.status) ? row : null;
}

const isFrom = (transition: { from: readonly string[] }, status: string): boolean =>
  transition.from.includes(status);
