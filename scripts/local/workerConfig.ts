import { writeFile } from "node:fs/promises";
import path from "node:path";
import { projectRoot } from "./wrangler.ts";

export type WorkerSettings = {
  publicUrl: string;
  runnerUrl: string;
  patchRunnerUrl: string;
  roots: readonly string[];
  allowedEndpoints: readonly string[];
  secrets: ReadonlyMap<string, string>;
};

/**
 * Writes the worker's configuration for one machine: that of wrangler.jsonc with other vars. The secrets go into
 * a `.dev.vars` beside it, which wrangler reads and no process list shows.
 */
export async function writeWorkerConfig(folder: string, settings: WorkerSettings): Promise<string> {
  // Loaded here alone, since wrangler takes a second to load and most calls never get this far.
  const { experimental_readRawConfig: readRawConfig } = await import("wrangler");
  const { rawConfig } = readRawConfig({ config: path.join(projectRoot, "wrangler.jsonc") });
  const database = rawConfig.d1_databases?.[0];
  const config = {
    ...rawConfig,
    $schema: undefined,
    main: path.join(projectRoot, "orchestrator/worker/index.ts"),
    d1_databases: [{ ...database, migrations_dir: path.join(projectRoot, "migrations") }],
    vars: {
      ...rawConfig.vars,
      LOCAL_MODE: "1",
      PUBLIC_URL: settings.publicUrl,
      RUNNER_URL: settings.runnerUrl,
      PATCH_RUNNER_URL: settings.patchRunnerUrl,
      LOCAL_ROOTS: JSON.stringify(settings.roots),
      ALLOWED_ENDPOINTS: JSON.stringify(settings.allowedEndpoints),
      MAX_LIVE_EXECUTIONS: "1",
      RESEND_AFTER_SECONDS: "20",
      HEARTBEAT_SECONDS: "5",
    },
  };
  const file = path.join(folder, "wrangler.json");
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  const lines = [...settings.secrets].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  await writeFile(path.join(folder, ".dev.vars"), `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}
