import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";

const folder = path.join(import.meta.dirname, "../../migrations");

function migrate(sqlite: DatabaseSync, wanted: (name: string) => boolean): void {
  for (const name of readdirSync(folder).sort())
    if (name.endsWith(".sql") && wanted(name))
      for (const statement of readFileSync(path.join(folder, name), "utf8").split(
        "--> statement-breakpoint",
      ))
        sqlite.exec(statement);
}

it("gives the lines that are there their chain and their place in it, by time and id", () => {
  const sqlite = new DatabaseSync(":memory:");
  migrate(sqlite, (name) => name < "0003");
  const line = sqlite.prepare(
    "insert into operation_logs (organization_id, subject_id, id, project_id, actor, action, message, at_ms) values ('org_a', ?, ?, ?, 'a', 'a', 'm', ?)",
  );
  sqlite.exec(`insert into organizations values ('org_a', 'a', 1, 0);
    insert into projects values ('org_a', 'proj_1', 'one', '{}', '{}', 'user:ada', 1);
    insert into tasks (organization_id, id, project_id, order_id, type, kind, source, status,
      allow_fallback, limits, deadline_at_ms, created_by, created_at_ms, updated_at_ms)
    values ('org_a', 'task_1', 'proj_1', 'ORD-1', 'fix', 'code', '{}', 'queued', 0, '{}', 1, 'user:ada', 1, 1)`);
  line.run("task_1", "log_3", null, 20);
  line.run("task_1", "log_2", "proj_1", 10);
  line.run("proj_1", "log_1", "proj_1", 5);
  line.run("tok_1", "log_0", null, 1);
  line.run("task_1", "log_1", null, 20);

  migrate(sqlite, (name) => name >= "0003");

  const rows = sqlite
    .prepare("select project_id, seq, subject_id, id from operation_logs order by project_id, seq")
    .all();
  expect(rows.map((row) => Object.values(row).join(" "))).toEqual([
    " 1 tok_1 log_0",
    "proj_1 1 proj_1 log_1",
    "proj_1 2 task_1 log_2",
    "proj_1 3 task_1 log_1",
    "proj_1 4 task_1 log_3",
  ]);
  expect(() => sqlite.exec("update operation_logs set seq = 9")).toThrow("append-only");
});
