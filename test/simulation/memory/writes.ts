import { stands } from "../../../orchestrator/worker/domain/guards.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { Guarded, NewTask } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import type { LogEntry, Notice, Outcome, Task } from "../../../orchestrator/worker/domain/task.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { putNotice, putTask } from "./put.ts";
import { chainKey, idKey, type LogRow, orderKey, type Tables, type TaskRow } from "./tables.ts";

/**
 * The parts of every batch. A batch is all or nothing because it checks all that can stop it, guards first and
 * keys after them, before it writes its first row.
 */
export const lost: Guarded = { kind: "lost" };
const done: Guarded = { kind: "done" };

export function commit(tables: Tables): Guarded {
  tables.version += 1;
  return done;
}

/** What the SQL stores throw when a batch breaks a key of the schema. */
export const storeError = (cause: string): SwitchyardError =>
  new SwitchyardError("store_unavailable", "The database did not answer. Try again in a moment.", {
    cause: new Error(cause),
  });

export function changeTask(
  tables: Tables,
  row: TaskRow,
  changes: Partial<Task>,
  sweepAtMs: number | null = row.sweepAtMs,
): void {
  putTask(tables, { task: { ...row.task, ...changes }, sweepAtMs });
}

/** What every end of a task sets; its sweep ends with it. */
export const endColumns = (outcome: Outcome | null, nowMs: number) => ({
  outcome,
  updatedAtMs: nowMs,
  finishedAtMs: nowMs,
});

export function checkNewTask(tables: Tables, { task }: NewTask): void {
  if (!tables.projects.has(idKey(task.organizationId, task.projectId)))
    throw storeError("FOREIGN KEY constraint failed");
  if (tables.tasks.has(idKey(task.organizationId, task.id)))
    throw storeError("UNIQUE constraint failed: tasks");
}

/** A new task with its order and its first log line. */
export function insertTask(tables: Tables, ids: Ids, { task, sweepAtMs, log }: NewTask): void {
  const { organizationId, projectId, orderId, createdAtMs: nowMs } = task;
  const key = orderKey(organizationId, projectId, orderId);
  if (!tables.orders.has(key))
    tables.orders.set(key, {
      organizationId,
      order: { projectId, id: orderId, headCommit: null },
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    });
  putTask(tables, { task, sweepAtMs });
  writeLog(tables, ids, { organizationId, subjectId: task.id, projectId, nowMs }, log);
}

export function writeLog(
  tables: Tables,
  ids: Ids,
  at: { organizationId: string; subjectId: string; projectId: string | null; nowMs: number },
  entry: LogEntry,
): void {
  const { organizationId, subjectId, nowMs: atMs } = at;
  const key = idKey(organizationId, subjectId);
  const projectId = at.projectId ?? tables.tasks.get(key)?.task.projectId ?? "";
  const chain = chainKey({ organizationId, projectId });
  const seq = (tables.index.chainLines.get(chain)?.length ?? 0) + 1;
  const row = { organizationId, subjectId, projectId, seq, id: ids.next("log"), atMs, entry };
  addTo(tables.logs, key, row);
  addTo(tables.index.chainLines, chain, row);
}

function addTo(lists: Map<string, LogRow[]>, key: string, row: LogRow): void {
  const rows = lists.get(key);
  if (rows === undefined) lists.set(key, [row]);
  else rows.push(row);
}

export function writeTaskLog(
  tables: Tables,
  ids: Ids,
  ref: TaskRef,
  nowMs: number,
  entry: LogEntry,
): void {
  const { organizationId, taskId: subjectId } = ref;
  writeLog(tables, ids, { organizationId, subjectId, projectId: null, nowMs }, entry);
}

export function checkNewNotices(tables: Tables, notices: readonly Notice[]): void {
  if (notices.length === 0) return;
  const [known, knownIds] = [new Set<string>(), new Set<string>()];
  for (const { organizationId, id, dedupeKey } of notices) {
    const [key, dedupe] = [idKey(organizationId, id), idKey(organizationId, dedupeKey)];
    if (tables.notices.has(key) || knownIds.has(key))
      throw storeError("UNIQUE constraint failed: notices.id");
    if (stands("notice_key") && (tables.index.dedupeKeys.has(dedupe) || known.has(dedupe)))
      throw storeError("UNIQUE constraint failed: notices.dedupe_key");
    knownIds.add(key);
    known.add(dedupe);
  }
}

/** An inbox notice is delivered by being written; a callback waits to be sent. */
export function writeNotices(tables: Tables, notices: readonly Notice[], nowMs: number): void {
  for (const notice of notices) {
    const isInbox = notice.channel === "inbox";
    putNotice(tables, {
      notice,
      status: isInbox ? "sent" : "pending",
      nextAttemptAtMs: isInbox ? null : nowMs,
      createdAtMs: nowMs,
      sentAtMs: isInbox ? nowMs : null,
    });
  }
}
