import type {
  AttemptRef,
  Brief,
} from "../../../orchestrator/worker/domain/ports/executionStore.ts";
import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type {
  TaskContext,
  TaskStory,
} from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import type { Order, Task } from "../../../orchestrator/worker/domain/task.ts";
import { idKey, orderKey, type Tables, taskKey } from "./tables.ts";

/** A page about one task shows this many lines of its log. */
const maxLogLines = 500;

/** A task with its project and its last attempt. */
export function findContext(tables: Tables, ref: TaskRef): TaskContext | null {
  const key = taskKey(ref);
  const task = tables.tasks.get(key)?.task;
  if (task === undefined) return null;
  const project = tables.projects.get(idKey(task.organizationId, task.projectId));
  if (project === undefined) return null;
  const execution = tables.index.executionsOf.get(key)?.at(-1)?.execution ?? null;
  return { task, project, execution };
}

export function findStory(tables: Tables, ref: TaskRef): TaskStory | null {
  const found = findContext(tables, ref);
  if (found === null) return null;
  const key = taskKey(ref);
  return {
    ...found,
    order: orderOf(tables, found.task),
    patch: tables.index.patchSetsOf.get(key)?.at(-1)?.patch ?? null,
    log: (tables.logs.get(key) ?? [])
      .slice(0, maxLogLines)
      .map(({ atMs, entry }) => ({ atMs, ...entry })),
  };
}

export function findBrief(tables: Tables, ref: AttemptRef): Brief | null {
  const found = findContext(tables, ref);
  if (found === null || found.execution?.fence !== ref.fence) return null;
  const order = orderOf(tables, found.task);
  if (order === null) return null;
  const patch = tables.index.patchSetsOf.get(taskKey(ref))?.at(-1)?.patch;
  return {
    ...found,
    execution: found.execution,
    order,
    patch: patch?.fence === ref.fence ? patch : null,
  };
}

const orderOf = (tables: Tables, task: Task): Order | null =>
  tables.orders.get(orderKey(task.organizationId, task.projectId, task.orderId))?.order ?? null;
