import { env } from "cloudflare:workers";
import { afterAll, describe } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { staleFenceSuite } from "../contracts/staleFenceSuite.ts";
import { storeSuite } from "../contracts/storeSuite.ts";
import type { Stores } from "../contracts/storeWay.ts";

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

afterAll(async () => {
  await open();
});

describe("the stores in D1", () => {
  storeSuite(open);
});

describe("a stale fence in D1", () => {
  staleFenceSuite(open);
});
