import { eq } from "drizzle-orm";
import type { ProviderConfig } from "../../../shared/contracts/provider.ts";
import type { Ids } from "../domain/ports/ids.ts";
import type { ProviderConfigStore } from "../domain/ports/providerConfigStore.ts";
import { type Database, guardedBatch, reading } from "./guardedBatch.ts";
import { aiProviderConfigs } from "./runTables.ts";
import { writeLog } from "./writes.ts";

/** What organizations have set for their providers, in D1. */
export function d1ProviderConfigStore(db: Database, ids: Ids): ProviderConfigStore {
  return {
    all: (organizationId) =>
      reading(async () => {
        const rows = await db
          .select()
          .from(aiProviderConfigs)
          .where(eq(aiProviderConfigs.organizationId, organizationId));
        return new Map(rows.map((row) => [row.providerName, toConfig(row)]));
      }),

    async put(organizationId, providerName, config, nowMs, log) {
      const columns = { ...config, updatedAtMs: nowMs };
      const place = { organizationId, subjectId: providerName, projectId: "", nowMs };
      await guardedBatch(db, [
        db
          .insert(aiProviderConfigs)
          .values({ organizationId, providerName, ...columns })
          .onConflictDoUpdate({
            target: [aiProviderConfigs.organizationId, aiProviderConfigs.providerName],
            set: columns,
          }),
        writeLog(db, ids, place, log),
      ]);
    },
  };
}

const toConfig = (row: typeof aiProviderConfigs.$inferSelect): ProviderConfig => ({
  enabled: row.enabled,
  apiEndpoint: row.apiEndpoint,
  defaultModel: row.defaultModel,
  rateLimits: row.rateLimits,
  costPerToken: row.costPerToken,
});
