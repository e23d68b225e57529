import { defineConfig } from "drizzle-kit";

// drizzle-kit loads this as a module with a default export.
export default defineConfig({
  dialect: "sqlite",
  driver: "d1-http",
  schema: [
    "./orchestrator/worker/database/schema.ts",
    "./orchestrator/worker/database/runTables.ts",
  ],
  out: "./migrations",
});
