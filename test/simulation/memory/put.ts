import type { DeadLetter } from "../../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { Project } from "../../../orchestrator/worker/domain/task.ts";
import {
  type AssignmentRow,
  attemptKey,
  type ExecutionRow,
  idKey,
  type NoticeRow,
  orderKey,
  type PatchSetRow,
  patchSetKey,
  type Tables,
  type TaskRow,
  taskKey,
} from "./tables.ts";

/** Puts a row in the place of the one with its key, or beside the others, and keeps the indexes. */
export function putTask(tables: Tables, row: TaskRow): void {
  const { task, sweepAtMs } = row;
  const { index } = tables;
  const key = idKey(task.organizationId, task.id);
  const isNew = !tables.tasks.has(key);
  tables.tasks.set(key, row);
  keep(index.queued, key, row, task.status === "queued");
  keep(index.toSweep, key, row, sweepAtMs !== null);
  const order = orderKey(task.organizationId, task.projectId, task.orderId);
  const members = index.ofOrder.get(order) ?? new Map<string, TaskRow>();
  if (members.size === 0) index.ofOrder.set(order, members);
  keep(members, key, row, task.finishedAtMs === null);
  if (isNew && task.parentId !== null) {
    const parent = idKey(task.organizationId, task.parentId);
    index.children.set(parent, [...(index.children.get(parent) ?? []), task.id].sort());
  }
}

export function putExecution(tables: Tables, row: ExecutionRow): void {
  const { execution } = row;
  const key = attemptKey(execution);
  tables.executions.set(key, row);
  keep(tables.index.liveExecutions, key, row, execution.settledAtMs === null);
  const ofTask = listOf(tables.index.executionsOf, taskKey(execution));
  replaceSorted(ofTask, row, (other) => other.execution.fence - execution.fence);
}

export function putPatchSet(tables: Tables, row: PatchSetRow): void {
  const { patch } = row;
  tables.patchSets.set(patchSetKey({ ...patch, patchSetId: patch.id }), row);
  const ofTask = listOf(tables.index.patchSetsOf, taskKey(patch));
  replaceSorted(ofTask, row, (other) => byText(other.patch.id, patch.id));
}

export function putAssignment(tables: Tables, row: AssignmentRow): void {
  const { activeAssignment } = tables.index;
  const [key, task] = [attemptKey(row), taskKey(row)];
  tables.assignments.set(key, row);
  if (row.status === "active") activeAssignment.set(task, key);
  else if (activeAssignment.get(task) === key) activeAssignment.delete(task);
}

export function putNotice(tables: Tables, row: NoticeRow): void {
  const { organizationId, id, dedupeKey } = row.notice;
  const key = idKey(organizationId, id);
  tables.notices.set(key, row);
  tables.index.dedupeKeys.add(idKey(organizationId, dedupeKey));
  keep(tables.index.pendingNotices, key, row, row.nextAttemptAtMs !== null);
}

export function putDeadLetter(tables: Tables, letter: DeadLetter): void {
  tables.deadLetters.set(idKey(letter.organizationId, letter.id), letter);
  tables.index.messages.set(idKey(letter.organizationId, letter.messageId), letter);
}

export function putProject(tables: Tables, project: Project): void {
  tables.projects.set(idKey(project.organizationId, project.id), project);
  tables.index.projectNames.add(idKey(project.organizationId, project.name));
}

/** As SQLite compares texts, for the ASCII that ids are made of. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function keep<Row>(index: Map<string, Row>, key: string, row: Row, belongs: boolean): void {
  if (belongs) index.set(key, row);
  else index.delete(key);
}

function listOf<Row>(index: Map<string, Row[]>, key: string): Row[] {
  const found = index.get(key);
  if (found !== undefined) return found;
  const rows: Row[] = [];
  index.set(key, rows);
  return rows;
}

/** `compare` is negative for rows that come before the new one and 0 for the one it replaces. */
function replaceSorted<Row>(rows: Row[], row: Row, compare: (other: Row) => number): void {
  let at = rows.length;
  while (at > 0 && compare(rows[at - 1] as Row) > 0) at -= 1;
  const same = at > 0 && compare(rows[at - 1] as Row) === 0;
  if (same) rows[at - 1] = row;
  else rows.splice(at, 0, row);
}
