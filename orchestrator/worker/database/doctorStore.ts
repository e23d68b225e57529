import { sql } from "drizzle-orm";
import type { DoctorStore } from "../domain/ports/doctorStore.ts";
import { boundSql } from "./boundSql.ts";
import { doctorChecks, findingsOf, notApplicable, statementOf } from "./doctorChecks.ts";
import { type Database, reading } from "./guardedBatch.ts";

/** The doctor in D1: every check in one batch, so that all of them see the same moment. */
export function d1DoctorStore(db: Database): DoctorStore {
  const query = (text: string, values: readonly (string | number)[]) =>
    db
      .select({ id: sql<string>`id`, detail: sql<string>`detail`, total: sql<number>`total` })
      .from(sql`(${boundSql(text, values)})`);
  type Query = ReturnType<typeof query>;

  return {
    examine: (organizationId, nowMs) =>
      reading(async () => {
        const queries = doctorChecks.map((check) =>
          query(statementOf(check), [organizationId, nowMs]),
        );
        const answers = await db.batch(queries as unknown as [Query, ...Query[]]);
        return { findings: findingsOf(answers), notApplicable };
      }),
  };
}
