import type { D1Database } from "@cloudflare/workers-types";
import { drizzle } from "drizzle-orm/d1";
import {
  storedText,
  toExecution,
  toNotice,
  toPatchSet,
  toTask,
} from "../../orchestrator/worker/database/rows.ts";
import {
  aiProviderAssignments,
  aiProviderConfigs,
  aiProviderExecutions,
  deadLetters,
  patchSets,
} from "../../orchestrator/worker/database/runTables.ts";
import {
  idempotencyRecords,
  notices,
  operationLogAnchors,
  operationLogSeals,
  operationLogs,
  orders,
  organizations,
  projects,
  tasks,
} from "../../orchestrator/worker/database/schema.ts";
import type { LogRow, Tables } from "./memory/tables.ts";

/** Every row of either kind of store in the words of `Tables`, each table in the order of its texts. */
export type Rows = Record<string, unknown[]>;

export function rowsOfMemory(tables: Tables): Rows {
  const { version: _, index: __, logs, ...rest } = tables;
  const maps: Record<string, Map<string, unknown>> = rest;
  const rows = Object.entries(maps).map(([name, table]) => [name, [...table.values()]] as const);
  return inOrder({ ...Object.fromEntries(rows), logs: numbered([...logs.values()].flat()) });
}

export async function rowsOfSql(d1: D1Database): Promise<Rows> {
  const db = drizzle(d1);
  const logs = await db.select().from(operationLogs).orderBy(operationLogs.id);
  return inOrder({
    organizations: (await db.select().from(organizations)).map(({ id, lastClaimAtMs }) => ({
      id,
      lastClaimAtMs,
    })),
    projects: await db.select().from(projects),
    orders: (await db.select().from(orders)).map(
      ({ organizationId, createdAtMs, updatedAtMs, ...order }) => ({
        organizationId,
        order,
        createdAtMs,
        updatedAtMs,
      }),
    ),
    tasks: (await db.select().from(tasks)).map((row) => ({
      task: toTask(row),
      sweepAtMs: row.sweepAtMs,
    })),
    idempotency: await db.select().from(idempotencyRecords),
    notices: (await db.select().from(notices)).map((row) => ({
      notice: toNotice(row),
      status: row.status,
      nextAttemptAtMs: row.nextAttemptAtMs,
      createdAtMs: row.createdAtMs,
      sentAtMs: row.sentAtMs,
    })),
    deadLetters: await db.select().from(deadLetters),
    seals: await db.select().from(operationLogSeals),
    anchors: await db.select().from(operationLogAnchors),
    ...(await attemptRows(d1)),
    logs: numbered(
      logs.map(({ actor, action, message, details, projectId, ...row }) => ({
        ...row,
        projectId: projectId ?? "none",
        entry: { actor, action, message, ...(details === null ? {} : { details }) },
      })),
    ),
  });
}

async function attemptRows(d1: D1Database): Promise<Rows> {
  const db = drizzle(d1);
  return {
    assignments: (await db.select().from(aiProviderAssignments)).map(
      ({ taskUuid: taskId, providerName: provider, ...row }) => ({ taskId, provider, ...row }),
    ),
    executions: (await db.select().from(aiProviderExecutions)).map((row) => ({
      execution: toExecution(row),
      projectId: row.projectId,
      startedAtMs: row.startedAtMs,
      output: row.output === null && row.outputKey === null ? null : outputOf(row),
      patchData: row.patchData,
    })),
    patchSets: (await db.select().from(patchSets)).map((row) => ({
      patch: toPatchSet(row),
      createdAtMs: row.createdAtMs,
      updatedAtMs: row.updatedAtMs,
    })),
    providerConfigs: (await db.select().from(aiProviderConfigs)).map(
      ({ organizationId, providerName: provider, updatedAtMs, ...config }) => ({
        organizationId,
        provider,
        config,
        updatedAtMs,
      }),
    ),
  };
}

const outputOf = (row: { output: string | null; outputKey: string | null }) =>
  storedText(row.output, row.outputKey);

/** A lost batch of the SQL stores has drawn ids too, so that only the order of a subject's lines is the same. */
function numbered(logs: readonly LogRow[]): unknown[] {
  const counts = new Map<string, number>();
  return logs.map(({ id: _, ...row }) => {
    const subject = `${row.organizationId}/${row.subjectId}`;
    const line = (counts.get(subject) ?? 0) + 1;
    counts.set(subject, line);
    return { ...row, line };
  });
}

const inOrder = (rows: Rows): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([name, table]) => [
      name,
      table
        .map((row) => [JSON.stringify(sortedKeys(row)), row] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, row]) => row),
    ]),
  );

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sortedKeys(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
