import { mkdir, realpath } from "node:fs/promises";
import path from "node:path";
import type { AcpAgent } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import { endMarked } from "../../apps/agent-runner/processes/reaper.ts";
import { buildImage, type ContainerImage } from "./containerImage.ts";
import { makeFirstAdmin } from "./firstAdmin.ts";
import { freePort } from "./freePort.ts";
import { type KeptProcess, keepRunning } from "./keptProcess.ts";
import { prepareFactory } from "./localFactory.ts";
import { takeLock } from "./lock.ts";
import { applyMigrations } from "./migrate.ts";
import {
  type LocalSecrets,
  maskFileOf,
  openStateFolder,
  writeMaskFile,
  writeSecrets,
} from "./stateFolder.ts";
import { startTicking } from "./ticker.ts";
import { writeWorkerConfig } from "./workerConfig.ts";
import { answers, workerAnswers } from "./workerReady.ts";
import { projectRoot, wranglerCli, wranglerEnvironment } from "./wrangler.ts";

export type LocalOptions = {
  state: string;
  agents: string;
  /** Repositories that tasks may work on. */
  repositories: readonly string[];
  /** Keys of providers, by the name of their secret. */
  providerKeys: ReadonlyMap<string, string>;
  /** Origins of model services that may be configured, beside this machine's own. */
  allowedEndpoints: readonly string[];
  /** Further agents, and the file that tells the runner of them. */
  acpAgents?: AcpAgents;
  port: number;
  /** The module with the worker's exports, where it is not the project's own. */
  main?: string;
  /** Agents get a container each, made from this; they are processes of this machine otherwise. */
  image?: ContainerImage | null;
  /** The wrangler.jsonc of a factory with containers of its own, to run beside the orchestrator. Needs Docker. */
  factory?: string | null;
  onNotice(text: string): void;
  /** Lines of the worker and the runners, for who wants to see them. */
  onLine(from: string, line: string): void;
  /** Ends a start that is under way: all that it started is ended before the start fails. */
  cancelled: AbortSignal;
};

export type AcpAgents = { file: string; agents: readonly AcpAgent[] };

export type LocalDeployment = {
  url: string;
  token: string;
  gaveUp: Promise<string>;
  stop(): Promise<void>;
};

/** Who the one person of a local deployment is. */
const organization = "org_default";
const principal = "user:admin";

/** Runs the whole of Switchyard on this machine: the worker in workerd, and a runner each for agents and patches. */
export async function startLocal(options: LocalOptions): Promise<LocalDeployment> {
  const state = path.resolve(options.state);
  const roots = await rootsOf(options.repositories);
  const secrets = await openStateFolder(state);
  const unlock = await takeLock(state);
  const kept: KeptProcess[] = [];
  try {
    await endMarked([`SWITCHYARD_RUNNER=${secrets.deploymentId}`]);
    const token = await prepareDatabase(state, secrets, options.cancelled);
    const workerSecrets = secretsOfWorker(options, secrets);
    await writeMaskFile(state, new Map([...workerSecrets, ["ADMIN_TOKEN", token]]));
    options.cancelled.throwIfAborted();
    const url = `http://127.0.0.1:${await freePort(options.port)}`;
    const [runnerUrl, patchRunnerUrl] = await startRunners(
      { ...options, state },
      roots,
      secrets,
      kept,
    );
    const { image = null, factory = null } = options;
    if (image !== null) await buildImage(image, options.cancelled);
    const factories =
      factory === null ? [] : [await prepareFactory(state, factory, options.cancelled)];
    const config = await writeWorkerConfig(state, {
      main: options.main ?? path.join(projectRoot, "orchestrator/worker/index.ts"),
      image,
      publicUrl: url,
      runnerUrl,
      patchRunnerUrl,
      roots,
      allowedEndpoints: options.allowedEndpoints,
      acpAgents: options.acpAgents?.agents ?? [],
      secrets: workerSecrets,
      factories,
    });
    const configs = [config, ...factories.map((one) => one.config)];
    kept.push(await startWorker(options, state, configs, url, secrets));
    const stopTicking = startTicking(url);
    return {
      url,
      token,
      gaveUp: Promise.race(kept.map((one) => one.gaveUp)),
      async stop() {
        stopTicking();
        await stopAll(kept);
        await unlock();
      },
    };
  } catch (error) {
    await stopAll(kept);
    await unlock();
    throw error;
  }
}

/** A project names its repository as a person does, through a link or not: both are known to the worker. */
async function rootsOf(repositories: readonly string[]): Promise<string[]> {
  const forms = await Promise.all(
    repositories.map(async (given) => [path.resolve(given), await realpath(given)]),
  );
  return [...new Set(forms.flat())];
}

/** The worker first: it is the one that would start something new. */
const stopAll = async (kept: readonly KeptProcess[]): Promise<void> => {
  for (const one of [...kept].reverse()) await one.stop();
};

const secretsOfWorker = (
  { providerKeys }: LocalOptions,
  { runnerToken, patchRunnerToken, callbackSecret }: LocalSecrets,
): Map<string, string> =>
  new Map([
    ...providerKeys,
    ["RUNNER_TOKEN", runnerToken],
    ["PATCH_RUNNER_TOKEN", patchRunnerToken],
    ["CALLBACK_SIGNING_SECRET", callbackSecret],
  ]);

async function prepareDatabase(
  state: string,
  secrets: LocalSecrets,
  cancelled: AbortSignal,
): Promise<string> {
  const persist = path.join(state, "cloudflare");
  await applyMigrations(persist, cancelled);
  if (secrets.adminToken !== null) return secrets.adminToken;
  const outcome = await makeFirstAdmin({
    database: ["--local", "--persist-to", persist],
    organization,
    principal,
    sqlFile: path.join(state, "first-admin.sql"),
    force: true,
    cancelled,
  });
  if (outcome.kind !== "made") throw new Error("The admin token could not be made.");
  await writeSecrets(state, { ...secrets, adminToken: outcome.token });
  return outcome.token;
}

async function startRunners(
  options: LocalOptions,
  roots: readonly string[],
  secrets: LocalSecrets,
  kept: KeptProcess[],
): Promise<[string, string]> {
  const start = async (role: "agents" | "patches", token: string) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const folder = path.join(options.state, `runner-${role}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const argv = [
      process.execPath,
      "--no-warnings",
      path.join(projectRoot, "apps/agent-runner/server.ts"),
      ...["--role", role, "--port", String(port), "--state", folder],
      ...["--agents", path.resolve(options.agents), "--mask", maskFileOf(options.state)],
      ...roots.flatMap((root) => ["--repo", root]),
      ...(role === "agents" ? acpFlag(options) : []),
    ];
    const runner = await keepRunning({
      name: `runner-${role}`,
      argv,
      cwd: projectRoot,
      env: { PATH: process.env.PATH ?? "", SWITCHYARD_RUNNER_TOKEN: token },
      deploymentId: secrets.deploymentId,
      stopSignal: "SIGTERM",
      isReady: () => answers(`${url}/health`, { authorization: `Bearer ${token}` }),
      onRestart: (how) =>
        options.onNotice(`The runner of ${role} ended (${how}); starting it again.`),
      onLine: (line) => options.onLine(`runner-${role}`, line),
      cancelled: options.cancelled,
    });
    kept.push(runner);
    return url;
  };
  const starting = [
    start("patches", secrets.patchRunnerToken),
    ...(options.image ? [] : [start("agents", secrets.runnerToken)]),
  ];
  await Promise.allSettled(starting);
  const [patches = "", agents = ""] = await Promise.all(starting);
  return [agents, patches];
}

const acpFlag = ({ acpAgents }: LocalOptions): string[] =>
  acpAgents === undefined ? [] : ["--acp-agents", acpAgents.file];

async function startWorker(
  options: LocalOptions,
  state: string,
  configs: readonly string[],
  url: string,
  secrets: LocalSecrets,
): Promise<KeptProcess> {
  const { port } = new URL(url);
  // The first is the one that listens.
  const place = [
    ...configs.flatMap((config) => ["--config", config]),
    ...["--persist-to", path.join(state, "cloudflare")],
  ];
  const listen = [
    "--ip",
    "127.0.0.1",
    "--port",
    port,
    "--inspector-port",
    String(await freePort()),
  ];
  return keepRunning({
    name: "worker",
    argv: [process.execPath, "--no-warnings", wranglerCli, "dev", ...place, ...listen],
    cwd: state,
    env: wranglerEnvironment(),
    deploymentId: secrets.deploymentId,
    stopSignal: "SIGINT",
    isReady: () => workerAnswers(url),
    onRestart: (how) => options.onNotice(`The worker ended (${how}); starting it again.`),
    onLine: (line) => options.onLine("worker", line),
    cancelled: options.cancelled,
  });
}
