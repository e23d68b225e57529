import { open, rm } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Redactor } from "../redact.ts";

const magic = "SQLite format 3\0";

export async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(magic.length);
    await file.read(head, 0, head.length, 0);
    return head.toString("latin1") === magic;
  } finally {
    await file.close();
  }
}

/**
 * Masks secrets in an SQLite database, value by value: masked like any other file it would be none any more, and a
 * long value is spread over pages. What was deleted in it is gone too. Throws where it is no sound database.
 */
export async function redactDatabase(path: string, redactor: Redactor): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma journal_mode = delete; pragma foreign_keys = off");
    database.function("redacted", (value) => redactValue(value, redactor));
    for (const table of namesIn(database, "select name from sqlite_schema where type = 'table'"))
      redactTable(database, table);
    database.exec("vacuum");
  } finally {
    database.close();
  }
  for (const suffix of ["-wal", "-shm", "-journal"]) await rm(path + suffix, { force: true });
}

function redactTable(database: DatabaseSync, table: string): void {
  if (table.startsWith("sqlite_")) return;
  for (const column of namesIn(database, "select name from pragma_table_info(?)", table)) {
    const name = quoted(column);
    database.exec(
      `update ${quoted(table)} set ${name} = redacted(${name})
       where typeof(${name}) in ('text', 'blob') and ${name} is not redacted(${name})`,
    );
  }
}

function redactValue(value: unknown, redactor: Redactor): string | Uint8Array | null {
  if (typeof value === "string") return redactor.text(value);
  return value instanceof Uint8Array ? redactor.bytes(value) : null;
}

const namesIn = (database: DatabaseSync, query: string, ...values: string[]): string[] =>
  database
    .prepare(query)
    .all(...values)
    .map(({ name }) => String(name));

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
