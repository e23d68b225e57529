import { and, eq, lte, sql } from "drizzle-orm";
import { capacityReasons } from "../domain/dispatch.ts";
import type { TaskStore } from "../domain/ports/taskStore.ts";
import { type Database, reading } from "./guardedBatch.ts";
import { aiProviderExecutions } from "./runTables.ts";
import { tasks } from "./schema.ts";

/** What the sweep asks, and who goes next when a slot is free. */
export const sweepReads = (
  db: Database,
): Pick<TaskStore, "dueForSweep" | "postponeSweep" | "nextWaiting"> => ({
  dueForSweep: (nowMs, limit) =>
    reading(async () => {
      const rows = await db
        .select({ task: tasks, executionStatus: aiProviderExecutions.status })
        .from(tasks)
        .leftJoin(
          aiProviderExecutions,
          and(
            eq(aiProviderExecutions.organizationId, tasks.organizationId),
            eq(aiProviderExecutions.taskUuid, tasks.id),
            eq(aiProviderExecutions.fence, tasks.fence),
          ),
        )
        .where(lte(tasks.sweepAtMs, nowMs))
        .orderBy(tasks.sweepAtMs)
        .limit(limit);
      return rows.map(({ task, executionStatus }) => ({
        ref: { organizationId: task.organizationId, taskId: task.id },
        status: task.status,
        fence: task.fence,
        executionStatus,
        sends: task.sends,
        notBeforeMs: task.notBeforeMs,
      }));
    }),

  postponeSweep: (ref, sweepAtMs, sends) =>
    reading(async () => {
      await db
        .update(tasks)
        .set({ sweepAtMs, sends })
        .where(
          and(
            eq(tasks.organizationId, ref.organizationId),
            eq(tasks.id, ref.taskId),
            sql`${tasks.sweepAtMs} is not null`,
          ),
        );
    }),

  nextWaiting: (nowMs, limit, freed) =>
    reading(async () => {
      const [anywhere, ofOrganization, ofProject] = capacityReasons;
      // Hops from organization to organization in the index of queued tasks, instead of reading all of it.
      const rows = await db.all<{ organization_id: string; id: string | null }>(sql`
        with recursive waiting(organization_id) as (
          select min(organization_id) from tasks where status = 'queued' and organization_id > ''
          union all
          select (
            select min(t.organization_id) from tasks t
            where t.status = 'queued' and t.organization_id > waiting.organization_id
          ) from waiting where waiting.organization_id is not null
        )
        select organization_id, id from (
        select w.organization_id, o.last_claim_at_ms, (
          select min(t.id) from tasks t indexed by tasks_queued
          where t.status = 'queued' and t.organization_id = w.organization_id
            and (t.not_before_ms is null or t.not_before_ms <= ${nowMs}
              or t.not_before_reason = ${anywhere}
              or (t.not_before_reason = ${ofOrganization} and t.organization_id = ${freed?.organizationId ?? ""})
              or (t.not_before_reason = ${ofProject} and t.organization_id = ${freed?.organizationId ?? ""}
                and t.project_id = ${freed?.projectId ?? ""}))
        ) as id
        from waiting w cross join organizations o on o.id = w.organization_id
        where w.organization_id is not null) where id is not null
        order by last_claim_at_ms, id
        limit ${limit}`);
      return rows.flatMap(({ organization_id: organizationId, id }) =>
        id === null ? [] : [{ organizationId, taskId: id }],
      );
    }),
});
