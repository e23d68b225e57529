import { and, eq, isNull, notExists, type SQL, sql } from "drizzle-orm";
import { stands } from "../domain/guards.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { Claim, Guarded } from "../domain/ports/taskStore.ts";
import { taskTransitions } from "../domain/states.ts";
import { type Database, guardedBatch, mustHaveChanged } from "./guardedBatch.ts";
import { holderOfOrder } from "./orderReads.ts";
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
        waiting: null,
        sweepAtMs: input.sweepAtMs,
        updatedAtMs: nowMs,
      })
      .where(
        and(
          taskGuard({ ...ref, fence: input.fence }, "claim", {
            refuseCancelled: true,
            guard: "claim_once",
          }),
          ...room(db, input),
          stands("order_in_turn") ? notExists(holderOfOrder(db, { ...input, ...ref })) : undefined,
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
      projectId: input.projectId,
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

/** The caps, each with its count of executions that may hold a process. */
function room(db: Database, { ref, projectId, assignment, caps }: Claim): SQL[] {
  const live = liveQueries(db, { ...ref, projectId, provider: assignment.provider });
  return capNames.flatMap((name) =>
    stands(`claim_cap_${name}`) ? [sql`(${live[name]}) < ${caps[name]}`] : [],
  );
}

const capNames = ["all", "provider", "organization", "project"] as const;

/** Executions of a provider, for one organization, that may hold a process. */
export const countLive = (db: Database, organizationId: string, provider: string) =>
  counting(
    db,
    and(
      eq(aiProviderExecutions.organizationId, organizationId),
      eq(aiProviderExecutions.providerName, provider),
    ),
    liveOf,
  );

/** The counts that the caps are held against. */
export const liveQueries = (
  db: Database,
  at: { organizationId: string; projectId: string; provider: string },
) => {
  const ofOrganization = eq(aiProviderExecutions.organizationId, at.organizationId);
  return {
    // The bound keeps it a search of the index.
    all: counting(db, sql`${aiProviderExecutions.providerName} > ''`),
    provider: countLive(db, at.organizationId, at.provider),
    organization: counting(db, ofOrganization, liveOf),
    project: counting(
      db,
      and(ofOrganization, eq(aiProviderExecutions.projectId, at.projectId)),
      liveOf,
    ),
  };
};

/** By itself SQLite takes the primary key, and reads every execution that the organization ever had. */
const liveOf = sql`${aiProviderExecutions} indexed by ai_provider_executions_live_of`;

const counting = (db: Database, which: SQL | undefined, from: SQL = sql`${aiProviderExecutions}`) =>
  db
    .select({ live: sql<number>`count(*)` })
    .from(from)
    .where(and(isNull(aiProviderExecutions.settledAtMs), which));
