import { env } from "cloudflare:workers";
import { describe } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { type Stores, storeSuite } from "../contracts/storeSuite.ts";

const tables = [
  "notices",
  "patch_sets",
  "ai_provider_executions",
  "ai_provider_assignments",
  "idempotency_records",
  "tasks",
  "orders",
  "projects",
  "organizations",
];

async function open(): Promise<Stores> {
  const { tasks, executions, patchSets, projects, notices } = compose(env);
  await env.DB.batch([
    env.DB.prepare("drop trigger if exists operation_logs_refuse_delete"),
    env.DB.prepare("delete from operation_logs"),
    ...tables.map((table) => env.DB.prepare(`delete from ${table}`)),
  ]);
  return {
    tasks,
    executions,
    patchSets,
    projects,
    notices,
    async addOrganization(id) {
      await env.DB.prepare("insert into organizations (id, name, created_at_ms) values (?, ?, 1)")
        .bind(id, id)
        .run();
    },
    async dump() {
      const rows = await env.DB.batch(
        [...tables, "operation_logs"].map((table) => env.DB.prepare(`select * from ${table}`)),
      );
      return JSON.stringify(rows.map(({ results }) => results));
    },
  };
}

describe("the stores in D1", () => {
  storeSuite(open);
});
