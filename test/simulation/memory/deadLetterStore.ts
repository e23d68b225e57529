import { stands } from "../../../orchestrator/worker/domain/guards.ts";
import type {
  DeadLetter,
  DeadLetterStore,
} from "../../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { Guarded } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import {
  executionTransitions,
  taskTransitions,
} from "../../../orchestrator/worker/domain/states.ts";
import { guardedExecution, guardedTask } from "./guards.ts";
import { byText, putDeadLetter, putExecution } from "./put.ts";
import { type ExecutionRow, idKey, type Tables, type TaskRow } from "./tables.ts";
import {
  changeTask,
  checkNewNotices,
  checkNewTask,
  commit,
  endColumns,
  insertTask,
  lost,
  writeLog,
  writeNotices,
  writeTaskLog,
} from "./writes.ts";

type Recording = Parameters<DeadLetterStore["record"]>[1];
type End = NonNullable<Recording["end"]>;

/** Dead letters in memory. */
export const memoryDeadLetterStore = (tables: Tables, ids: Ids): DeadLetterStore => ({
  record: async (letter, input) => record(tables, ids, letter, input),

  find: async (organizationId, id) => tables.deadLetters.get(idKey(organizationId, id)) ?? null,

  findByMessage: async (organizationId, messageId) =>
    tables.index.messages.get(idKey(organizationId, messageId)) ?? null,

  async list({ organizationId, status, before, limit }) {
    return [...tables.deadLetters.values()]
      .filter(
        (letter) =>
          letter.organizationId === organizationId &&
          (status === undefined || letter.status === status) &&
          (before === undefined || letter.id < before),
      )
      .sort((a, b) => byText(b.id, a.id))
      .slice(0, limit);
  },

  async replay(organizationId, id, { task, by, nowMs, log }) {
    const letter = tables.deadLetters.get(idKey(organizationId, id));
    if (letter === undefined) return lost;
    if (stands("replay_once") && letter.status !== "open") return lost;
    checkNewTask(tables, task);
    const replayed = { replayedAs: task.task.id, replayedBy: by };
    putDeadLetter(tables, { ...letter, status: "replayed", ...replayed });
    insertTask(tables, ids, task);
    writeLog(tables, ids, { organizationId, subjectId: id, projectId: "", nowMs }, log);
    return commit(tables);
  },
});

function record(tables: Tables, ids: Ids, letter: DeadLetter, input: Recording): Guarded {
  const { end, nowMs } = input;
  if (tables.deadLetters.has(idKey(letter.organizationId, letter.id))) return lost;
  if (tables.index.messages.has(idKey(letter.organizationId, letter.messageId))) return lost;
  const attempt = end?.attempt ? pendingAttempt(tables, end.attempt) : undefined;
  const task = end === null ? undefined : endableTask(tables, letter, end);
  if (attempt === null || task === null) return lost;
  if (end !== null) checkNewNotices(tables, end.notices);

  putDeadLetter(tables, letter);
  if (end !== null && attempt !== undefined) loseAttempt(tables, attempt, end, nowMs);
  if (end !== null && task !== undefined) {
    const { to: status } = taskTransitions.escalate;
    changeTask(tables, task, { status, waiting: null, ...endColumns(end.outcome, nowMs) }, null);
    writeNotices(tables, end.notices, nowMs);
  }
  writeTaskLog(tables, ids, letter, nowMs, input.log);
  return commit(tables);
}

function pendingAttempt(tables: Tables, ref: NonNullable<End["attempt"]>): ExecutionRow | null {
  const row = guardedExecution(tables, ref, "lose");
  return row?.execution.status === "pending" ? row : null;
}

function endableTask(tables: Tables, letter: DeadLetter, { attempt }: End): TaskRow | null {
  const { organizationId, taskId } = letter;
  if (attempt === null) {
    const waiting = guardedTask(tables, { organizationId, taskId }, "cancel_waiting");
    return waiting?.task.status === "waiting_input" ? null : waiting;
  }
  const row = guardedTask(tables, attempt, "escalate");
  return row?.task.status === "assigned" ? row : null;
}

function loseAttempt(tables: Tables, row: ExecutionRow, { outcome }: End, nowMs: number): void {
  const { to: status } = executionTransitions.lose;
  putExecution(tables, {
    ...row,
    execution: { ...row.execution, status, settledAtMs: nowMs, outcome },
  });
}
