import { sql } from "drizzle-orm";
import { stands } from "../domain/guards.ts";
import type { Settlement } from "../domain/ports/executionStore.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { Guarded } from "../domain/ports/taskStore.ts";
import { executionTransitions, isFinalTask, taskTransitions } from "../domain/states.ts";
import { type Database, guardedBatch, mustHaveChanged, type Statement } from "./guardedBatch.ts";
import { textColumns } from "./rows.ts";
import { aiProviderExecutions, patchSets } from "./runTables.ts";
import { tasks } from "./schema.ts";
import {
  executionGuard,
  insertTask,
  outcomeColumns,
  taskGuard,
  writeLog,
  writeNotice,
} from "./writes.ts";

/** The end of an attempt: its outcome, what it used, its patch set and the notices, in one guarded batch. */
export function settle(db: Database, ids: Ids, input: Settlement): Promise<Guarded> {
  const { ref, nowMs } = input;
  const place = {
    organizationId: ref.organizationId,
    subjectId: ref.taskId,
    projectId: null,
    nowMs,
  };
  return guardedBatch(db, [
    ...moveExecution(db, input),
    ...moveTask(db, input),
    ...(input.patch === null ? [] : [insertPatch(db, input.patch, nowMs)]),
    ...(input.child === null ? [] : insertTask(db, ids, input.child)),
    ...input.notices.map((notice) => writeNotice(db, notice, nowMs)),
    ...input.log.map((entry) => writeLog(db, ids, place, entry)),
  ]);
}

function moveExecution(db: Database, input: Settlement): Statement[] {
  const { result } = input;
  const output = result.output === null ? { text: null, key: null } : textColumns(result.output);
  return [
    db
      .update(aiProviderExecutions)
      .set({
        status: executionTransitions[input.executionEvent].to,
        output: output.text,
        outputKey: output.key,
        patchData: input.patch?.id ?? null,
        sessionId: result.sessionId,
        usage: result.usage,
        events: result.events,
        durationMs: result.durationMs,
        settledAtMs: input.nowMs,
        ...outcomeColumns(input.outcome),
      })
      .where(executionGuard(input.ref, input.executionEvent, "settle_once")),
    mustHaveChanged(db),
  ];
}

function moveTask(db: Database, input: Settlement): Statement[] {
  const status = taskTransitions[input.taskEvent].to;
  const final = isFinalTask(status);
  // Work that goes on must not pass a cancel that was asked for meanwhile; an end may.
  const refuseCancelled =
    stands("settle_not_cancelled") && (!final || input.taskEvent === "finish_without_patch");
  return [
    db
      .update(tasks)
      .set({
        status,
        notBeforeMs: input.notBeforeMs,
        notBeforeReason: input.notBeforeReason,
        waiting: input.waiting,
        ...(input.taskEvent === "retry" ? { retries: sql`${tasks.retries} + 1` } : {}),
        sweepAtMs: input.sweepAtMs,
        updatedAtMs: input.nowMs,
        ...(final ? { finishedAtMs: input.nowMs, ...outcomeColumns(input.outcome) } : {}),
      })
      .where(taskGuard(input.ref, input.taskEvent, { refuseCancelled, guard: "settle_once" })),
    mustHaveChanged(db),
  ];
}

function insertPatch(
  db: Database,
  patch: NonNullable<Settlement["patch"]>,
  nowMs: number,
): Statement {
  const { set, ...columns } = patch;
  const { text, key } = textColumns(set);
  return db.insert(patchSets).values({
    ...columns,
    setText: text,
    setKey: key,
    status: "received",
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  });
}
