import { mkdir } from "node:fs/promises";
import path from "node:path";
import { installAgent } from "../../apps/agent-runner/agents/install.ts";
import { agentRegistry } from "../../apps/agent-runner/agents/registry.ts";
import { startModelServer } from "../../apps/scripted-model/model-server.mjs";
import {
  credentialNamesOf,
  type ProviderName,
  providerNames,
  registry,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { agentPins, isPinned } from "../../shared/agentPins.ts";
import type { TaskDetail } from "../../shared/contracts/task.ts";
import { factoryBase } from "../local/containerImage.ts";
import { type LocalDeployment, startLocal } from "../local/deployment.ts";
import { applyEndpoint, findEndpointOrigins } from "../local/endpoints.ts";
import { createEventLines } from "../terminal/eventLines.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Paint } from "../terminal/style.ts";
import { type Client, createClient } from "./client.ts";
import type { DemoOptions } from "./options.ts";
import { fingerprint, git, makeDemoRepository, nameOf, openOwnRepository } from "./repository.ts";

export type DemoScreen = { out: NodeJS.WriteStream; paint: Paint; say(text: string): void };

export type DemoOutcome = {
  task: TaskDetail;
  agentVersion: string;
  repository: string;
  baseCommit: string;
  /** Nothing of the repository changed but for its new branch. */
  untouched: boolean;
};

const scriptedPrompt =
  "`npm test` fails. Find out why, fix the code (not the test), and run the tests again.";
const scriptedKey = "scripted-demo-key";

export type DemoLife = {
  /** Everything that has to be ended when the demo ends, the newest first. */
  endings: (() => Promise<unknown>)[];
  /** Somebody wants it to end before its time. */
  cancelled: AbortSignal;
};

export async function runDemo(
  options: DemoOptions,
  folder: string,
  screen: DemoScreen,
  life: DemoLife,
): Promise<DemoOutcome> {
  const repository = await prepareRepository(options, folder);
  const before = await fingerprint(repository);
  const starting = startDeployment(options, folder, repository, life);
  const agentVersion = await install(options, screen, life);
  const deployment = await withProgress(
    screen.out,
    screen.paint,
    options.containers
      ? "Starting Switchyard (worker, database, queue, and the image of the containers)"
      : "Starting Switchyard (worker, database, queue, two runners)",
    () => starting,
  );
  const client = createClient(deployment.url, deployment.token);
  await pointAtModel(options, client, life);
  const task = await submit(options, client, repository);
  screen.say(`\nTask ${task.id} was accepted over HTTP. What happens to it:\n`);
  await tell(client, task.id, screen);
  return {
    task: await client.task(task.id),
    agentVersion,
    repository,
    baseCommit: await git(repository, "rev-parse", "HEAD"),
    untouched: before === (await fingerprint(repository)),
  };
}

async function prepareRepository({ own }: DemoOptions, folder: string): Promise<string> {
  if (own !== null) return openOwnRepository(own.repository);
  const repository = path.join(folder, "parcel-rates");
  await mkdir(repository);
  await makeDemoRepository(repository);
  return repository;
}

function startDeployment(
  options: DemoOptions,
  folder: string,
  repository: string,
  { endings, cancelled }: DemoLife,
): Promise<LocalDeployment> {
  const names = providerNames.flatMap(
    (name) => credentialNamesOf(registry[name], scriptedKey).secretNames,
  );
  const scripted = new Map(names.map((name) => [name, scriptedKey]));
  const starting = startLocal({
    state: path.join(folder, "state"),
    agents: options.agents,
    repositories: [repository],
    providerKeys: options.model === "live" ? options.keys : scripted,
    allowedEndpoints: findEndpointOrigins(),
    port: 0,
    image: options.containers ? factoryBase : null,
    onNotice: () => {},
    onLine: () => {},
    cancelled,
  });
  starting.catch(() => {});
  endings.push(async () => (await starting.catch(() => null))?.stop());
  return starting;
}

async function install(
  options: DemoOptions,
  { out, paint, say }: DemoScreen,
  { endings, cancelled }: DemoLife,
) {
  const { agent, agents: agentsDirectory } = options;
  if (options.containers) {
    if (!isPinned(agent)) throw new Error(`${agent} is not in the image of the containers.`);
    const version = agentPins[agent];
    say(`${paint("green", "✓")} ${agent} ${version} comes with the image of its container`);
    return version;
  }
  const found = await agentRegistry[agent].find(agentsDirectory);
  if (found.kind === "installed") {
    say(`${paint("green", "✓")} ${agent} ${found.version} is here already`);
    return found.version;
  }
  const installing = installAgent({ agent, agentsDirectory, cancelled });
  endings.push(() => installing.catch(() => {}));
  const outcome = await withProgress(
    out,
    paint,
    `Getting ${agent} from npm (kept for the next time)`,
    async () => {
      const installed = await installing;
      if (installed.kind === "failed") throw new Error(installed.message);
      return installed;
    },
  );
  return outcome.version;
}

/** Without a key the agent talks to the scripted model on this machine, which is set like any other endpoint. */
async function pointAtModel(
  options: DemoOptions,
  client: Client,
  { endings }: DemoLife,
): Promise<void> {
  if (options.model === "live") {
    await applyEndpoint(client, options.agent);
    return;
  }
  const model = await startModelServer({ scenario: "fix" });
  endings.push(() => model.close());
  const { path: endpointPath = "", defaultModel = null } = scriptedServices[options.agent] ?? {};
  const apiEndpoint = `${model.url}/s/fix${endpointPath}`;
  await client.putProvider(options.agent, { apiEndpoint, defaultModel });
}

/** What an agent wants of a service that is not its usual one. */
const scriptedServices: Partial<Record<ProviderName, { path: string; defaultModel?: string }>> = {
  codex: { path: "/v1" },
  copilot: { path: "/v1", defaultModel: "gpt-5.4" },
};

async function submit(options: DemoOptions, client: Client, repository: string) {
  const validation = validationOf(options);
  const project = await client.createProject({
    name: nameOf(repository),
    source: { kind: "local", path: repository },
    settings: { validation },
  });
  const prompt = options.own?.prompt ?? scriptedPrompt;
  const request = { projectId: project.id, prompt, type: "fix", provider: options.agent };
  return client.createTask(request, `demo-${Date.now()}`);
}

const validationMs = 10 * 60_000;

function validationOf(options: DemoOptions) {
  const argv = options.validate ?? (options.own === null ? ["npm", "test"] : null);
  return argv === null ? [] : [{ name: argv.join(" "), argv, timeoutMs: validationMs }];
}

async function tell(client: Client, taskId: string, { out, paint, say }: DemoScreen) {
  const lines = createEventLines({
    paint,
    width: out.isTTY ? out.columns : 100,
    startedAtMs: Date.now(),
  });
  let lastAtMs = Date.now();
  for await (const { atMs, event } of client.events(taskId)) {
    lastAtMs = atMs;
    for (const line of lines.lines(atMs, event)) say(line);
    // Whoever watches a demo is the one who wanted the task, so nobody is there to decide about its patch.
    if (event.type === "state" && event.task === "waiting_input") break;
  }
  for (const line of lines.end(lastAtMs)) say(line);
}
