import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { AcpAgent } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import type { ContainerImage } from "./containerImage.ts";
import type { FactoryRegistration } from "./localFactory.ts";
import { projectRoot } from "./wrangler.ts";

export type WorkerSettings = {
  /** The module with the worker's exports. */
  main: string;
  publicUrl: string;
  runnerUrl: string;
  /** What agents' containers are made from; null = agents run on the runner. */
  image: ContainerImage | null;
  patchRunnerUrl: string;
  roots: readonly string[];
  allowedEndpoints: readonly string[];
  acpAgents: readonly AcpAgent[];
  secrets: ReadonlyMap<string, string>;
  /** Factories with containers of their own that run beside it. */
  factories: readonly FactoryRegistration[];
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
    main: settings.main,
    ...containersOf(rawConfig.containers ?? [], settings.image),
    services: settings.factories.map(({ service }) => service),
    d1_databases: [{ ...database, migrations_dir: path.join(projectRoot, "migrations") }],
    vars: {
      ...rawConfig.vars,
      LOCAL_MODE: "1",
      AGENT_RUNTIME: settings.image === null ? "runner" : "container",
      FACTORY_CONTAINERS: JSON.stringify(settings.factories.map(({ registered }) => registered)),
      PUBLIC_URL: settings.publicUrl,
      RUNNER_URL: settings.runnerUrl,
      PATCH_RUNNER_URL: settings.patchRunnerUrl,
      LOCAL_ROOTS: JSON.stringify(settings.roots),
      ALLOWED_ENDPOINTS: JSON.stringify(settings.allowedEndpoints),
      ACP_AGENTS: JSON.stringify(settings.acpAgents.map(shownToWorker)),
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

/** Without an image nothing of containers is left, so that wrangler asks for no Docker. */
function containersOf(declared: readonly object[], image: ContainerImage | null) {
  if (image === null) return { containers: undefined, dev: undefined };
  const containers = declared.map((one) => ({
    ...one,
    image: image.dockerfile,
    image_build_context: image.context,
    image_vars: image.args,
  }));
  return { containers, dev: { enable_containers: true } };
}
/** The worker is told what routing and keys need; how the agent is started is the runner's alone. */
const shownToWorker = ({ id, title, secretNames, credentialVariable, resume }: AcpAgent) => ({
  id,
  title,
  secretNames,
  credentialVariable,
  resume,
});
