import { and, desc, eq, sql } from "drizzle-orm";
import type { TaskRef } from "../domain/ports/supervisors.ts";
import type { TaskContext, TaskStory } from "../domain/ports/taskStore.ts";
import type { LogEntry } from "../domain/task.ts";
import type { Database } from "./guardedBatch.ts";
import { toExecution, toPatchSet, toProject, toTask } from "./rows.ts";
import { aiProviderExecutions, patchSets } from "./runTables.ts";
import { operationLogs, orders, projects, tasks } from "./schema.ts";

/** One batch that reads a task with its project, its last attempt, its order and its last patch set. */
export const contextQueries = (db: Database, ref: TaskRef) => {
  const isTask = and(eq(tasks.organizationId, ref.organizationId), eq(tasks.id, ref.taskId));
  return [
    db.select().from(tasks).where(isTask),
    db
      .select({ project: projects })
      .from(tasks)
      .innerJoin(
        projects,
        and(eq(projects.organizationId, tasks.organizationId), eq(projects.id, tasks.projectId)),
      )
      .where(isTask),
    db
      .select()
      .from(aiProviderExecutions)
      .where(
        and(
          eq(aiProviderExecutions.organizationId, ref.organizationId),
          eq(aiProviderExecutions.taskUuid, ref.taskId),
        ),
      )
      .orderBy(desc(aiProviderExecutions.fence))
      .limit(1),
  ] as const;
};

export const storyQueries = (db: Database, ref: TaskRef) =>
  [
    ...contextQueries(db, ref),
    db
      .select({ order: orders })
      .from(tasks)
      .innerJoin(
        orders,
        and(
          eq(orders.organizationId, tasks.organizationId),
          eq(orders.projectId, tasks.projectId),
          eq(orders.id, tasks.orderId),
        ),
      )
      .where(and(eq(tasks.organizationId, ref.organizationId), eq(tasks.id, ref.taskId))),
    db
      .select()
      .from(patchSets)
      .where(
        and(eq(patchSets.organizationId, ref.organizationId), eq(patchSets.taskId, ref.taskId)),
      )
      .orderBy(desc(patchSets.id))
      .limit(1),
  ] as const;

export async function findContext(db: Database, ref: TaskRef): Promise<TaskContext | null> {
  const [taskRows, projectRows, executionRows] = await db.batch([...contextQueries(db, ref)]);
  return context(taskRows[0], projectRows[0]?.project, executionRows[0]);
}

export function context(
  task: typeof tasks.$inferSelect | undefined,
  project: typeof projects.$inferSelect | undefined,
  execution: typeof aiProviderExecutions.$inferSelect | undefined,
): TaskContext | null {
  if (task === undefined || project === undefined) return null;
  return {
    task: toTask(task),
    project: toProject(project),
    execution: execution ? toExecution(execution) : null,
  };
}

export async function findStory(db: Database, ref: TaskRef): Promise<TaskStory | null> {
  const [taskRows, projectRows, executionRows, orderRows, patchRows, logRows] = await db.batch([
    ...storyQueries(db, ref),
    db
      .select()
      .from(operationLogs)
      .where(
        and(
          eq(operationLogs.organizationId, ref.organizationId),
          eq(operationLogs.subjectId, ref.taskId),
        ),
      )
      .orderBy(sql`${operationLogs.id}`)
      .limit(500),
  ]);
  const found = context(taskRows[0], projectRows[0]?.project, executionRows[0]);
  if (found === null) return null;
  const order = orderRows[0]?.order;
  const patch = patchRows[0];
  return {
    ...found,
    order: order
      ? { projectId: order.projectId, id: order.id, headCommit: order.headCommit }
      : null,
    patch: patch ? toPatchSet(patch) : null,
    log: logRows.map(toLogEntry),
  };
}

const toLogEntry = (row: typeof operationLogs.$inferSelect): LogEntry & { atMs: number } => ({
  atMs: row.atMs,
  actor: row.actor,
  action: row.action,
  message: row.message,
  ...(row.details === null ? {} : { details: row.details }),
});
