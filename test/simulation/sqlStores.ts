import type { D1Database } from "@cloudflare/workers-types";
import { drizzle } from "drizzle-orm/d1";
import { d1AuditStore } from "../../orchestrator/worker/database/auditStore.ts";
import { d1DeadLetterStore } from "../../orchestrator/worker/database/deadLetterStore.ts";
import { d1ExecutionStore } from "../../orchestrator/worker/database/executionStore.ts";
import { d1NoticeStore } from "../../orchestrator/worker/database/noticeStore.ts";
import { d1PatchSetStore } from "../../orchestrator/worker/database/patchSetStore.ts";
import { d1ProjectStore } from "../../orchestrator/worker/database/projectStore.ts";
import { d1ProviderConfigStore } from "../../orchestrator/worker/database/providerConfigStore.ts";
import { d1TaskStore } from "../../orchestrator/worker/database/taskStore.ts";
import type { Ids } from "../../orchestrator/worker/domain/ports/ids.ts";
import type { Stores } from "../contracts/storeWay.ts";

/** The stores as the worker has them, over a database of `sqliteD1`. */
export function openSqlStores(d1: D1Database, ids: Ids = countedIds()): Stores {
  const db = drizzle(d1);
  return {
    tasks: d1TaskStore(db, ids),
    executions: d1ExecutionStore(db, ids),
    patchSets: d1PatchSetStore(db, ids),
    projects: d1ProjectStore(db, ids),
    notices: d1NoticeStore(db),
    deadLetters: d1DeadLetterStore(db, ids),
    providerConfigs: d1ProviderConfigStore(db, ids),
    audit: d1AuditStore(db),
    async addOrganization(id) {
      await d1
        .prepare("insert into organizations (id, name, created_at_ms) values (?, ?, 1)")
        .bind(id, id)
        .run();
    },
    dump: () => dump(d1),
  };
}

/** Ids that grow like the worker's, and are the same in every run. */
export function countedIds(): Ids {
  let count = 0;
  const next = (length: number) => {
    count += 1;
    return String(count).padStart(length, "0");
  };
  return { next: (prefix) => `${prefix}_${next(26)}`, token: () => next(43) };
}

/** Tables come by name and rows by key, so that equal contents give equal texts. */
async function dump(d1: D1Database): Promise<string> {
  const tables = await d1
    .prepare("select name from sqlite_master where type = 'table' order by name")
    .all<{ name: string }>();
  const rows = await d1.batch(
    tables.results.map(({ name }) => d1.prepare(`select * from "${name}"`)),
  );
  return JSON.stringify(tables.results.map(({ name }, at) => [name, rows[at]?.results]));
}
