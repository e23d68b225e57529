import { and, eq, isNull, sql } from "drizzle-orm";
import type { Ids } from "../domain/ports/ids.ts";
import type { Claim, Guarded } from "../domain/ports/taskStore.ts";
import { taskTransitions } from "../domain/states.ts";
import { type Database, guardedBatch, mustHaveChanged } from "./guardedBatch.ts";
import { aiProviderAssignments, aiProviderExecutions } from "./runTables.ts";
import { organizations, tasks } from "./schema.ts";
import { taskGuard, writeLog } from "./writes.ts";

/** Takes a queued task: raises the fence and writes assignment and execution, if the caps leave room. */
export function claim(db: Database, ids: Ids, input: Claim): Promise<Guarded> {
  const { ref, assignment, nowMs } = input;
  const fence = input.fence + 1;
  const key = { organizationId: ref.organizationId, taskUuid: ref.taskId, fence };
  return guardedBatch(db, [
    db
      .update(tasks)
      .set({
        status: taskTransitions.claim.to,
        fence,
        provider: assignment.provider,
        notBeforeMs: null,
        notBeforeReason: null,
        delays: 0,
        sweepAtMs: input.sweepAtMs,
        updatedAtMs: nowMs,
      })
      .where(
        and(
          taskGuard({ ...ref, fence: input.fence }, "claim", { refuseCancelled: true }),
          sql`(${countLive(db)}) < ${input.caps.all}`,
          sql`(${countLive(db, assignment.provider)}) < ${input.caps.provider}`,
        ),
      ),
    mustHaveChanged(db),
    db
      .update(aiProviderAssignments)
      .set({ status: "superseded" })
      .where(
        and(
          eq(aiProviderAssignments.organizationId, ref.organizationId),
          eq(aiProviderAssignments.taskUuid, ref.taskId),
          eq(aiProviderAssignments.status, sql`'active'`),
        ),
      ),
    db.insert(aiProviderAssignments).values({
      ...key,
      id: assignment.id,
      providerName: assignment.provider,
      providerType: assignment.providerType,
      status: "active",
      executionId: input.executionId,
      decision: assignment.decision,
      createdAtMs: nowMs,
    }),
    db.insert(aiProviderExecutions).values({
      ...key,
      executionId: input.executionId,
      providerName: assignment.provider,
      status: "pending",
      input: input.config,
      createdAtMs: nowMs,
    }),
    db
      .update(organizations)
      .set({ lastClaimAtMs: nowMs })
      .where(eq(organizations.id, ref.organizationId)),
    writeLog(
      db,
      ids,
      { organizationId: ref.organizationId, subjectId: ref.taskId, projectId: null, nowMs },
      input.log,
    ),
  ]);
}

/** Executions that may hold a process, of one provider or of all (the bound keeps it a search of the index). */
export const countLive = (db: Database, provider?: string) =>
  db
    .select({ live: sql<number>`count(*)` })
    .from(aiProviderExecutions)
    .where(
      and(
        isNull(aiProviderExecutions.settledAtMs),
        provider === undefined
          ? sql`${aiProviderExecutions.providerName} > ''`
          : eq(aiProviderExecutions.providerName, provider),
      ),
    );
