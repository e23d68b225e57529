import { finalTaskStatuses } from "../../domain/states.ts";

/** Rows that must not be there. */
export type Check = {
  invariant: string;
  name: string;
  /** `id` of what is broken and a `detail`, of one organization: `?1` = its id, `?2` = now in ms. */
  sql: string;
  /** What it means that there are such rows. */
  because: string;
  /** What a person does about it. */
  remedy: string;
};

/** So much later than it should have come, nothing is merely slow. */
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export const listed = (names: readonly string[]): string =>
  names.map((name) => `'${name}'`).join(", ");

export const final = listed(finalTaskStatuses);

/** A time of a row as a person reads it. */
export const time = (column: string): string =>
  `coalesce(datetime(${column} / 1000, 'unixepoch') || ' UTC', 'never')`;

/** An execution that may hold a process and counts against the caps. */
export const live = "e.settled_at_ms is null";

export const taskOf = (row: string, column: string): string =>
  `join tasks t on t.organization_id = ${row}.organization_id and t.id = ${row}.${column}`;
