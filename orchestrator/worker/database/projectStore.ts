import { and, desc, eq, lt } from "drizzle-orm";
import type { Ids } from "../domain/ports/ids.ts";
import type { ProjectStore } from "../domain/ports/projectStore.ts";
import { type Database, guardedBatch, mentions, reading } from "./guardedBatch.ts";
import { toProject } from "./rows.ts";
import { projects } from "./schema.ts";
import { writeLog } from "./writes.ts";

/** Projects in D1. */
export function d1ProjectStore(db: Database, ids: Ids): ProjectStore {
  return {
    async create(project, log) {
      const { organizationId, id, createdAtMs } = project;
      const place = { organizationId, subjectId: id, projectId: id, nowMs: createdAtMs };
      try {
        return await guardedBatch(db, [
          db.insert(projects).values(project),
          writeLog(db, ids, place, log),
        ]);
      } catch (error) {
        if (mentions(error, "UNIQUE constraint failed: projects")) return { kind: "lost" };
        throw error;
      }
    },

    find: (organizationId, id) =>
      reading(async () => {
        const row = await db
          .select()
          .from(projects)
          .where(and(eq(projects.organizationId, organizationId), eq(projects.id, id)))
          .get();
        return row ? toProject(row) : null;
      }),

    list: (organizationId, before, limit) =>
      reading(async () => {
        const older = before === null ? undefined : lt(projects.id, before);
        const rows = await db
          .select()
          .from(projects)
          .where(and(eq(projects.organizationId, organizationId), older))
          .orderBy(desc(projects.id))
          .limit(limit);
        return rows.map(toProject);
      }),
  };
}
