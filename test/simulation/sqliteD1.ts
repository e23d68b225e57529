import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import type { D1Database, D1PreparedStatement, D1Result } from "@cloudflare/workers-types";

/**
 * SQLite in memory, with the project's migrations and D1's face: one thread, no timers, every answer a microtask
 * away. `test/contracts/d1Suite.ts` holds it to what D1 answers.
 *
 * All work happens inside one transaction that is never committed. So `fresh` is its rollback: it needs no new
 * schema, leaves the prepared statements valid and passes by the triggers that keep the audit trail.
 */
export function sqliteD1(): {
  /** The database with its tables empty. What was handed out before answers no more. */
  fresh(): D1Database;
} {
  const sqlite = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  for (const statement of migrationStatements()) sqlite.exec(statement);
  sqlite.exec("begin immediate");
  const compile = compiler(sqlite);
  let handedOut = 0;
  return {
    fresh() {
      sqlite.exec("rollback; begin immediate");
      handedOut += 1;
      const mine = handedOut;
      return d1Over((sql) => {
        if (mine !== handedOut) throw new Error("This database was emptied for the next user.");
        return compile(sql);
      });
    },
  };
}

function migrationStatements(): string[] {
  const folder = path.join(import.meta.dirname, "../../migrations");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  if (files.length === 0) throw new Error(`No migrations in ${folder}.`);
  return files
    .sort()
    .flatMap((name) =>
      readFileSync(path.join(folder, name), "utf8").split("--> statement-breakpoint"),
    );
}

type Compiled = { statement: StatementSync; columns: string[] };
type Compile = (sql: string) => Compiled;

/** Each text is compiled once: a run asks the same few dozen statements again and again. */
function compiler(sqlite: DatabaseSync): Compile {
  const known = new Map<string, Compiled>();
  return (sql) => {
    const found = known.get(sql);
    if (found !== undefined) return found;
    const statement = sqlite.prepare(sql);
    // As objects, two columns of one name would become one.
    statement.setReturnArrays(true);
    const compiled = { statement, columns: statement.columns().map(({ name }) => name) };
    known.set(sql, compiled);
    return compiled;
  };
}

type Answer = {
  columns: readonly string[];
  rows: readonly SQLOutputValue[][];
  changes: number;
  lastRowId: number;
};

function execute({ statement, columns }: Compiled, values: readonly SQLInputValue[]): Answer {
  if (columns.length === 0) {
    const { changes, lastInsertRowid } = statement.run(...values);
    return { columns, rows: [], changes: Number(changes), lastRowId: Number(lastInsertRowid) };
  }
  const rows = statement.all(...values) as unknown as SQLOutputValue[][];
  const changes = /\breturning\b/i.test(statement.sourceSQL) ? rows.length : 0;
  return { columns, rows, changes, lastRowId: 0 };
}

/** What D1's own object keeps to itself: how a batch runs a statement that was prepared and bound. */
const work = Symbol("work");
type Bound = D1PreparedStatement & { [work](): Answer };

function d1Over(compile: Compile): D1Database {
  const notHere = () => {
    throw new Error("The SQLite behind a simulation knows prepare and batch only.");
  };
  return {
    prepare: (sql) => prepared(compile, sql, []),
    batch: async <T>(statements: D1PreparedStatement[]) =>
      inD1Words(() =>
        atomic(compile, () =>
          statements.map((statement) => resultOf<T>((statement as Bound)[work]())),
        ),
      ),
    exec: notHere,
    withSession: notHere,
    dump: notHere,
  };
}

/** The savepoint is to the transaction around it what BEGIN IMMEDIATE … COMMIT is to a database. */
function atomic<T>(compile: Compile, body: () => T): T {
  const say = (sql: string) => execute(compile(sql), []);
  say("savepoint batch");
  try {
    return body();
  } catch (error) {
    say("rollback to batch");
    throw error;
  } finally {
    say("release batch");
  }
}

function prepared(compile: Compile, sql: string, values: readonly SQLInputValue[]): Bound {
  const answer = () => execute(compile(sql), values);
  const result = async () => inD1Words(() => resultOf(answer()));
  const statement = {
    [work]: answer,
    bind: (...unbound: unknown[]) => prepared(compile, sql, unbound.map(toSqlite)),
    run: result,
    all: result,
    first: async (column?: string) => {
      const [row] = (await result()).results;
      if (row === undefined) return null;
      if (column === undefined) return row;
      if (!(column in row)) throw new Error(`D1_COLUMN_NOTFOUND: Column not found (${column})`);
      return row[column];
    },
    raw: async (options?: { columnNames?: boolean }) => {
      const { columns, rows } = inD1Words(answer);
      return options?.columnNames ? [columns, ...rows] : rows;
    },
  };
  // `first` and `raw` answer by their options, which overloads can say and an object literal cannot.
  return statement as unknown as Bound;
}

/** D1 sends values as JSON; the project binds no blobs, so none are translated here. */
function toSqlite(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  throw new Error(`D1_TYPE_ERROR: Type '${typeof value}' not supported for value '${value}'`);
}

function resultOf<T = Record<string, SQLOutputValue>>(answer: Answer): D1Result<T> {
  const { columns, rows, changes, lastRowId } = answer;
  return {
    success: true,
    results: rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])) as T),
    meta: {
      changes,
      last_row_id: lastRowId,
      changed_db: changes > 0,
      // D1 counts the rows of indexes too. SQLite does not tell them.
      rows_written: changes,
      rows_read: rows.length,
      duration: 0,
      size_after: 0,
    },
  };
}

const codeNames = new Map([
  [1, "SQLITE_ERROR"],
  [20, "SQLITE_MISMATCH"],
  [275, "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)"],
  [787, "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)"],
  [1299, "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)"],
  [1555, "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)"],
  [1811, "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)"],
  [2067, "SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"],
]);

/** Errors of SQLite in the words that D1 has for them: the stores read some of those. */
function inD1Words<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Error) || !("errcode" in error)) throw error;
    const code = codeNames.get(Number(error.errcode)) ?? `SQLITE (${error.errcode})`;
    throw new Error(`D1_ERROR: ${error.message}: ${code}`, { cause: error });
  }
}
