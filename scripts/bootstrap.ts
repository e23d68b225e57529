/**
 * `npm run bootstrap`: prints the first admin token of an organization, once.
 *   npm run bootstrap -- --remote                       the deployed database
 *   npm run bootstrap -- [--state DIR]                  the database of `npm start`
 *   [--organization org_default] [--principal user:admin] [--force]
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { makeFirstAdmin } from "./local/firstAdmin.ts";
import { applyMigrations } from "./local/migrate.ts";
import { defaultStateFolder } from "./local/stateFolder.ts";

try {
  await main();
} catch (error) {
  console.error(`bootstrap: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      remote: { type: "boolean", default: false },
      state: { type: "string", default: defaultStateFolder },
      organization: { type: "string", default: "org_default" },
      principal: { type: "string", default: "user:admin" },
      force: { type: "boolean", default: false },
    },
  });
  const state = path.resolve(values.state);
  const persist = path.join(state, "cloudflare");
  await mkdir(state, { recursive: true, mode: 0o700 });
  if (!values.remote) await applyMigrations(persist);
  const sqlFile = path.join(state, "first-admin.sql");
  const outcome = await makeFirstAdmin({
    database: values.remote ? ["--remote"] : ["--local", "--persist-to", persist],
    organization: values.organization,
    principal: values.principal,
    sqlFile,
    force: values.force,
  });
  await rm(sqlFile, { force: true });
  if (outcome.kind === "there_already")
    throw new Error(
      `${values.organization} has an admin token already${values.remote ? "" : ", which npm start prints"}. An admin makes more with POST /api/v1/tokens; --force makes another one here.`,
    );
  console.error(`The first admin token of ${values.organization}. It is shown this once:`);
  console.log(outcome.token);
}
