import { type SQL, sql } from "drizzle-orm";

/** `?1`, `?2` … of a text become parameters of a statement. */
export const boundSql = (text: string, values: readonly (string | number)[]): SQL =>
  sql.join(
    text
      .split(/\?(\d)/)
      .map((part, at) => (at % 2 === 0 ? sql.raw(part) : sql`${values[Number(part) - 1]}`)),
  );
