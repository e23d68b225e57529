import path from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// vitest loads this as a module with a default export.
export default defineConfig(async () => ({
  test: {
    silent: "passed-only" as const,
    projects: [
      {
        test: {
          name: "node",
          environment: "node",
          include: ["test/{domain,patch,house,simulation}/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            main: "./test/worker/main.ts",
            wrangler: { configPath: "./wrangler.jsonc" },
            miniflare: {
              bindings: {
                LOCAL_MODE: "1",
                PUBLIC_URL: "https://switchyard.test",
                LOCAL_ROOTS: '["/repos"]',
                RUNNER_URL: "http://runner.test",
                RUNNER_TOKEN: "runner-token",
                PATCH_RUNNER_URL: "http://runner.test",
                PATCH_RUNNER_TOKEN: "runner-token",
                GEMINI_API_KEY: "key-of-gemini",
                ACME_KEY: "key-of-acme",
                ACP_AGENTS: JSON.stringify([
                  {
                    id: "acme",
                    title: "Acme",
                    secretNames: ["ACME_OTHER_KEY", "ACME_KEY"],
                    credentialVariable: "ACME_API_KEY",
                    resume: "never",
                  },
                ]),
                MAX_LIVE_EXECUTIONS: "100",
                HEARTBEAT_SECONDS: "1",
                LOST_AFTER_SECONDS: "1",
                LIMIT_GRACE_SECONDS: "0",
                TEST_MIGRATIONS: await readD1Migrations(
                  path.join(import.meta.dirname, "migrations"),
                ),
              },
            },
          }),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/worker/setup.ts"],
          maxWorkers: 1,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "runner",
          environment: "node",
          include: ["test/runner/**/*.test.ts"],
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "e2e",
          environment: "node",
          include: ["test/e2e/**/*.test.ts"],
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Needs Docker, so `npm test` leaves it out: npm run test:containers.
        test: {
          name: "containers",
          environment: "node",
          include: ["test/containers/**/*.test.ts"],
          globalSetup: ["./test/containers/kit/globalSetup.ts"],
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
}));
