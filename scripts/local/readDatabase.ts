import { access } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../terminal/usageError.ts";
import { mustRunWrangler } from "./wrangler.ts";

/** Runs statements that read, and answers the rows of each. `database` = `--local --persist-to DIR`, or `--remote`. */
export async function readDatabase<Row>(
  database: readonly string[],
  statements: readonly string[],
): Promise<Row[][]> {
  const command = ["d1", "execute", "switchyard", ...database, "--yes", "--json", "--command"];
  const printed = await mustRunWrangler("Reading the database", [
    ...command,
    statements.join(";\n"),
  ]);
  const results = JSON.parse(printed.slice(printed.indexOf("["))) as { results: Row[] }[];
  if (results.length !== statements.length)
    throw new Error(`${statements.length} statements had ${results.length} answers`);
  return results.map(({ results: rows }) => rows);
}

/** `?1`, `?2` … of a text become values. */
export const withValues = (text: string, values: readonly (string | number)[]): string =>
  text.replaceAll(/\?(\d)/g, (_, place: string) => {
    const value = values[Number(place) - 1] ?? "";
    return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
  });

/** The database that `npm start` keeps in a state folder. */
export async function localDatabase(state: string): Promise<readonly string[]> {
  const persist = path.join(state, "cloudflare");
  await access(persist).catch(() => {
    throw new UsageError(`there is no database in ${state}; npm start makes one`);
  });
  return ["--local", "--persist-to", persist];
}
