import type { Ids } from "../../orchestrator/worker/domain/ports/ids.ts";
import type { Stores } from "../contracts/storeWay.ts";
import { memoryAuditStore } from "./memory/auditStore.ts";
import { memoryDeadLetterStore } from "./memory/deadLetterStore.ts";
import { memoryExecutionStore } from "./memory/executionStore.ts";
import { memoryNoticeStore } from "./memory/noticeStore.ts";
import { memoryPatchSetStore } from "./memory/patchSetStore.ts";
import { memoryProjectStore, memoryProviderConfigStore } from "./memory/projectStore.ts";
import { emptyTables, type Tables } from "./memory/tables.ts";
import { memoryTaskStore } from "./memory/taskStore.ts";
import { commit } from "./memory/writes.ts";

/**
 * The stores of D1 in memory, for a simulation that makes millions of calls: the same guards and keys, every answer
 * one microtask away. What they answer is theirs and everybody's: nobody may change it.
 */
export function memoryStores(ids: Ids): Stores & { tables: Tables } {
  const tables = emptyTables();
  return {
    tables,
    tasks: memoryTaskStore(tables, ids),
    executions: memoryExecutionStore(tables, ids),
    patchSets: memoryPatchSetStore(tables, ids),
    projects: memoryProjectStore(tables, ids),
    notices: memoryNoticeStore(tables),
    deadLetters: memoryDeadLetterStore(tables, ids),
    providerConfigs: memoryProviderConfigStore(tables, ids),
    audit: memoryAuditStore(tables),
    async addOrganization(id) {
      tables.organizations.set(id, { id, lastClaimAtMs: 0 });
      commit(tables);
    },
    dump: async () => dump(tables),
  };
}

/** Rows by key, so that equal contents give equal texts. */
const dump = ({ version: _, index: __, ...rows }: Tables): string =>
  JSON.stringify(
    Object.entries(rows).map(([name, table]) => [
      name,
      [...table].sort(([a], [b]) => (a < b ? -1 : 1)),
    ]),
  );
