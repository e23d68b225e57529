import { env } from "cloudflare:workers";
import { afterAll } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { everyStoreSuite } from "../contracts/everyStoreSuite.ts";
import type { Stores } from "../contracts/storeWay.ts";

const tables = [
  "operation_log_seals",
  "operation_log_anchors",
  "dead_letters",
  "ai_provider_configs",
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
  const { tasks, executions, patchSets, projects, notices, deadLetters, providerConfigs, audit } =
    compose(env);
  await env.DB.batch([
    env.DB.prepare("drop trigger if exists operation_logs_refuse_delete"),
    env.DB.prepare("drop trigger if exists operation_log_seals_refuse_delete"),
    env.DB.prepare("delete from operation_logs"),
    ...tables.map((table) => env.DB.prepare(`delete from ${table}`)),
  ]);
  return {
    tasks,
    executions,
    patchSets,
    projects,
    notices,
    deadLetters,
    providerConfigs,
    audit,
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

everyStoreSuite("D1", open);
