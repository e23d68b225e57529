import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll } from "vitest";
import { quiet } from "./world.ts";

afterAll(quiet);

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
