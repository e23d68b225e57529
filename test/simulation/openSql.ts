import type { D1Database } from "@cloudflare/workers-types";
import { drizzle } from "drizzle-orm/d1";
import {
  toExecution,
  toNotice,
  toPatchSet,
  toTask,
} from "../../orchestrator/worker/database/rows.ts";
import {
  aiProviderExecutions,
  deadLetters,
  patchSets,
} from "../../orchestrator/worker/database/runTables.ts";
import { notices, orders, tasks } from "../../orchestrator/worker/database/schema.ts";
import type { Ids } from "../../orchestrator/worker/domain/ports/ids.ts";
import { sqliteD1 } from "./sqliteD1.ts";
import { openSqlStores } from "./sqlStores.ts";
import type { SimStores, View } from "./world/simStores.ts";

let shared: ReturnType<typeof sqliteD1> | null = null;

/** The real SQL under a simulated history: one database a thread, emptied for every seed. */
export function openSql(ids: Ids): SimStores {
  shared ??= sqliteD1();
  return watchStores(shared.fresh(), ids);
}

function watchStores(d1: D1Database, ids: Ids): SimStores {
  const stores = openSqlStores(d1, ids);
  let version = 0;
  let seen: { version: number; view: Promise<View> } | null = null;
  const watch = <P extends object>(port: P): P =>
    Object.fromEntries(
      Object.entries(port).map(([name, method]) => [
        name,
        reads.test(name)
          ? method
          : async (...args: unknown[]) => {
              const answer = await (method as (...args: unknown[]) => Promise<unknown>)(...args);
              version += 1;
              return answer;
            },
      ]),
    ) as P;
  return {
    ...stores,
    tasks: watch(stores.tasks),
    executions: watch(stores.executions),
    patchSets: watch(stores.patchSets),
    projects: watch(stores.projects),
    notices: watch(stores.notices),
    deadLetters: watch(stores.deadLetters),
    providerConfigs: watch(stores.providerConfigs),
    version: () => version,
    remake: async ({ organizationId, taskId, id }, treeId) => {
      await d1
        .prepare(
          "update patch_sets set tree_id = ? where organization_id = ? and task_id = ? and id = ?",
        )
        .bind(treeId, organizationId, taskId, id)
        .run();
      version += 1;
    },
    view: () => {
      if (seen === null || seen.version !== version) seen = { version, view: viewOf(d1) };
      return seen.view;
    },
  };
}

const reads = /^(find|list|due|next|count|live|orderIs|inbox|all)/;

async function viewOf(d1: D1Database): Promise<View> {
  const db = drizzle(d1);
  const [taskRows, executionRows, patchRows, noticeRows, letters, orderRows] = await db.batch([
    db.select().from(tasks),
    db.select().from(aiProviderExecutions),
    db.select().from(patchSets),
    db.select().from(notices),
    db.select().from(deadLetters),
    db.select().from(orders),
  ]);
  return {
    tasks: taskRows.map(toTask),
    executions: executionRows.map((row) => ({
      execution: toExecution(row),
      projectId: row.projectId,
    })),
    patchSets: patchRows.map(toPatchSet),
    notices: noticeRows.map((row) => ({ notice: toNotice(row), status: row.status })),
    deadLetters: letters,
    orders: orderRows,
  };
}
