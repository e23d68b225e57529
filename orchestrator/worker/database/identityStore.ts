import { eq } from "drizzle-orm";
import type { IdentityStore } from "../domain/ports/identityStore.ts";
import type { Ids } from "../domain/ports/ids.ts";
import { type Database, guardedBatch, reading } from "./guardedBatch.ts";
import { apiTokens, organizations, principals } from "./schema.ts";
import { writeLog } from "./writes.ts";

/** Principals and their tokens in D1. A token is looked up by its SHA-256, so no comparison of secrets happens. */
export function d1IdentityStore(db: Database, ids: Ids): IdentityStore {
  return {
    findPrincipal: (sha256, nowMs) =>
      reading(async () => {
        const row = await db.select().from(apiTokens).where(eq(apiTokens.sha256, sha256)).get();
        if (row === undefined || row.revokedAtMs !== null) return null;
        if (row.expiresAtMs !== null && row.expiresAtMs <= nowMs) return null;
        return { id: row.principalId, organizationId: row.organizationId, role: row.role };
      }),

    async createToken({ id, sha256, principal, expiresAtMs, nowMs, log }) {
      const { organizationId, id: principalId, role } = principal;
      const place = { organizationId, subjectId: id, projectId: "", nowMs };
      await guardedBatch(db, [
        db
          .insert(principals)
          .values({ organizationId, id: principalId, createdAtMs: nowMs })
          .onConflictDoNothing(),
        db.insert(apiTokens).values({
          organizationId,
          id,
          principalId,
          role,
          sha256,
          createdAtMs: nowMs,
          expiresAtMs,
        }),
        writeLog(db, ids, place, log),
      ]);
    },

    organizationExists: (organizationId) =>
      reading(async () => {
        const row = await db
          .select({ id: organizations.id })
          .from(organizations)
          .where(eq(organizations.id, organizationId))
          .get();
        return row !== undefined;
      }),
  };
}
