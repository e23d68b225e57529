import { and, eq, inArray, isNull, ne, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { waitsForOrder } from "../domain/dispatch.ts";
import type { TaskStore } from "../domain/ports/taskStore.ts";
import { orderHoldingStatuses } from "../domain/states.ts";
import { type Database, reading } from "./guardedBatch.ts";
import { tasks } from "./schema.ts";

type OrderMember = {
  organizationId: string;
  projectId: string;
  orderId: string;
  taskId: string;
  isChild: boolean;
};

const others = alias(tasks, "others");
/** By itself SQLite takes the primary key, and reads every task that the organization ever had. */
const othersOfOrder = sql`${tasks} as ${others} indexed by tasks_of_order`;
const tasksOfOrder = sql`${tasks} indexed by tasks_of_order`;

/** Another task of the order that holds it. */
export const holderOfOrder = (db: Database, member: OrderMember) =>
  db
    .select({ id: sql<string>`${others.id}` })
    .from(othersOfOrder)
    .where(
      and(
        eq(others.organizationId, member.organizationId),
        eq(others.projectId, member.projectId),
        eq(others.orderId, member.orderId),
        isNull(others.finishedAtMs),
        ne(others.id, member.taskId),
        inArray(
          others.status,
          orderHoldingStatuses.filter((status) => !member.isChild || status !== "remediating"),
        ),
      ),
    )
    .limit(1);

/** Tasks of one order go one after the other. */
export const orderReads = (db: Database): Pick<TaskStore, "orderIsBusy" | "nextOfOrder"> => ({
  orderIsBusy: (task) =>
    reading(async () => {
      const isChild = task.parentId !== null;
      return (await holderOfOrder(db, { ...task, taskId: task.id, isChild }).get()) !== undefined;
    }),

  nextOfOrder: ({ organizationId, projectId, orderId }) =>
    reading(async () => {
      const row = await db
        .select({ id: sql<string | null>`min(${tasks.id})` })
        .from(tasksOfOrder)
        .where(
          and(
            eq(tasks.organizationId, organizationId),
            eq(tasks.projectId, projectId),
            eq(tasks.orderId, orderId),
            isNull(tasks.finishedAtMs),
            eq(tasks.status, "queued"),
            eq(tasks.notBeforeReason, waitsForOrder),
          ),
        )
        .get();
      return row?.id == null ? null : { organizationId, taskId: row.id };
    }),
});
