import { sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { Guarded } from "../domain/ports/taskStore.ts";

export type Database = DrizzleD1Database<Record<string, never>>;
export type Statement = BatchItem<"sqlite">;

/**
 * Stands directly after a guarded write. A D1 batch is atomic but not conditional: when its guarded update
 * changes nothing, the statements after it would still write. This one raises, so the whole batch rolls back.
 */
export const mustHaveChanged = (db: Database): Statement =>
  db.all(sql`select case changes() when 1 then 1 else json_extract('lost', '$') end as held`);

/** Runs a batch whose guards are followed by `mustHaveChanged`; a guard that did not hold is `lost`. */
export async function guardedBatch(db: Database, statements: Statement[]): Promise<Guarded> {
  try {
    await db.batch(statements as [Statement, ...Statement[]]);
    return { kind: "done" };
  } catch (error) {
    if (mentions(error, "malformed JSON")) return { kind: "lost" };
    throw storeError(error);
  }
}

/** The message of a D1 error holds the values of its parameters, so it goes into `cause` and is never shown. */
export const storeError = (cause: unknown): SwitchyardError =>
  new SwitchyardError("store_unavailable", "The database did not answer. Try again in a moment.", {
    cause,
  });

/** Whether an error or one of its causes says `words`. */
export function mentions(error: unknown, words: string): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (at.message.includes(words)) return true;
  return false;
}

/** Runs a read or an unguarded write, with the store's own error. */
export async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error);
  }
}
