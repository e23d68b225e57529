import type { DatabaseProbe } from "../domain/ports/databaseProbe.ts";
import type { Database } from "./guardedBatch.ts";
import { tasks } from "./schema.ts";

/** Reads at most one row, so that whoever asks often costs little. */
export const d1Probe = (db: Database): DatabaseProbe => ({
  isReachable: () =>
    db
      .select({ id: tasks.id })
      .from(tasks)
      .limit(1)
      .then(
        () => true,
        () => false,
      ),
});
