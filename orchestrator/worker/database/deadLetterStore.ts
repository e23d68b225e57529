import { and, desc, eq, lt, ne } from "drizzle-orm";
import { stands } from "../domain/guards.ts";
import type { DeadLetter, DeadLetterStore } from "../domain/ports/deadLetterStore.ts";
import type { Ids } from "../domain/ports/ids.ts";
import { executionTransitions, taskTransitions } from "../domain/states.ts";
import {
  type Database,
  guardedBatch,
  mentions,
  mustHaveChanged,
  reading,
  type Statement,
} from "./guardedBatch.ts";
import { aiProviderExecutions, deadLetters } from "./runTables.ts";
import { tasks } from "./schema.ts";
import {
  executionGuard,
  insertTask,
  outcomeColumns,
  taskGuard,
  writeLog,
  writeNotice,
} from "./writes.ts";

type Recording = Parameters<DeadLetterStore["record"]>[1];

/** Dead letters in D1. */
export function d1DeadLetterStore(db: Database, ids: Ids): DeadLetterStore {
  const byId = (organizationId: string, id: string) =>
    and(eq(deadLetters.organizationId, organizationId), eq(deadLetters.id, id));
  const find = async (where: ReturnType<typeof and>): Promise<DeadLetter | null> =>
    reading(async () => (await db.select().from(deadLetters).where(where).get()) ?? null);

  return {
    async record(letter, input) {
      const { organizationId, taskId } = letter;
      try {
        return await guardedBatch(db, [
          db.insert(deadLetters).values(letter),
          ...(input.end === null ? [] : endTask(db, letter, input.end, input.nowMs)),
          writeLog(
            db,
            ids,
            { organizationId, subjectId: taskId, projectId: null, nowMs: input.nowMs },
            input.log,
          ),
        ]);
      } catch (error) {
        if (mentions(error, "UNIQUE constraint failed: dead_letters")) return { kind: "lost" };
        throw error;
      }
    },

    find: (organizationId, id) => find(byId(organizationId, id)),

    findByMessage: (organizationId, messageId) =>
      find(
        and(eq(deadLetters.organizationId, organizationId), eq(deadLetters.messageId, messageId)),
      ),

    list: ({ organizationId, status, before, limit }) =>
      reading(() =>
        db
          .select()
          .from(deadLetters)
          .where(
            and(
              eq(deadLetters.organizationId, organizationId),
              status && eq(deadLetters.status, status),
              before === undefined ? undefined : lt(deadLetters.id, before),
            ),
          )
          .orderBy(desc(deadLetters.id))
          .limit(limit),
      ),

    replay: (organizationId, id, { task, by, nowMs, log }) =>
      guardedBatch(db, [
        db
          .update(deadLetters)
          .set({ status: "replayed", replayedAs: task.task.id, replayedBy: by })
          .where(
            and(
              byId(organizationId, id),
              stands("replay_once") ? eq(deadLetters.status, "open") : undefined,
            ),
          ),
        mustHaveChanged(db),
        ...insertTask(db, ids, task),
        writeLog(db, ids, { organizationId, subjectId: id, projectId: "", nowMs }, log),
      ]),
  };
}

/**
 * The task is handed to a person, unless it has moved on; a claimed attempt that nobody has begun is lost. A task that
 * asks a person has moved on: its suspended attempt waits for the answer.
 */
function endTask(
  db: Database,
  letter: DeadLetter,
  { attempt, outcome, notices }: NonNullable<Recording["end"]>,
  nowMs: number,
): Statement[] {
  const ref = { organizationId: letter.organizationId, taskId: letter.taskId };
  return [
    ...(attempt === null
      ? []
      : [
          db
            .update(aiProviderExecutions)
            .set({
              status: executionTransitions.lose.to,
              settledAtMs: nowMs,
              ...outcomeColumns(outcome),
            })
            .where(
              and(executionGuard(attempt, "lose"), eq(aiProviderExecutions.status, "pending")),
            ),
          mustHaveChanged(db),
        ]),
    db
      .update(tasks)
      .set({
        status: taskTransitions.escalate.to,
        ...outcomeColumns(outcome),
        waiting: null,
        sweepAtMs: null,
        updatedAtMs: nowMs,
        finishedAtMs: nowMs,
      })
      .where(
        attempt === null
          ? and(taskGuard(ref, "cancel_waiting"), ne(tasks.status, "waiting_input"))
          : and(taskGuard(attempt, "escalate"), eq(tasks.status, "assigned")),
      ),
    mustHaveChanged(db),
    ...notices.map((notice) => writeNotice(db, notice, nowMs)),
  ];
}
