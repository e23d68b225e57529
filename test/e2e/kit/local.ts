import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { installAgent } from "../../../apps/agent-runner/agents/install.ts";
import { findMarked } from "../../../apps/agent-runner/processes/processTable.ts";
import { type ModelServer, startModelServer } from "../../../apps/scripted-model/model-server.mjs";
import { type Client, createClient, type StreamedEvent } from "../../../scripts/demo/client.ts";
import { git, makeDemoRepository } from "../../../scripts/demo/repository.ts";
import type { ContainerImage } from "../../../scripts/local/containerImage.ts";
import { type LocalDeployment, startLocal } from "../../../scripts/local/deployment.ts";
import { defaultAgentsFolder, openStateFolder } from "../../../scripts/local/stateFolder.ts";
import type { ProjectSettings } from "../../../shared/contracts/project.ts";
import type { TaskDetail } from "../../../shared/contracts/task.ts";

/** The whole of Switchyard on this machine, with a repository, a real agent CLI and a scripted model. */
export type World = {
  folder: string;
  repository: string;
  deployment: LocalDeployment;
  client: Client;
  model: ModelServer;
  projectId: string;
  deploymentId: string;
  notices: string[];
  /** Which script the model plays for the next run. */
  play(scenario: string): Promise<void>;
  close(): Promise<void>;
};

/** The key of every provider that has one. */
export const canaryKey = "canary-key-of-the-model";

export const validation = [{ name: "npm test", argv: ["npm", "test"], timeoutMs: 60_000 }];

/** `link` is a name by which the repository is known to everybody, beside the folder that it is in. */
export async function openWorld({
  link,
  image = null,
  factory = null,
  settings = {},
  keyNames = ["GEMINI_API_KEY"],
  main,
  onLine = () => {},
}: {
  link?: string;
  image?: ContainerImage | null;
  /** The wrangler.jsonc of one with containers of its own. */
  factory?: string | null;
  /** Of the project, beside its validation. */
  settings?: Partial<ProjectSettings>;
  keyNames?: readonly string[];
  main?: string;
  onLine?: (from: string, line: string) => void;
} = {}): Promise<World> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "switchyard-e2e-"));
  const made = path.join(folder, "parcel-rates");
  await mkdir(made);
  await makeDemoRepository(made);
  const repository = link === undefined ? made : path.join(folder, link);
  if (link !== undefined) await symlink(made, repository);
  const installed = await installAgent({ agent: "gemini", agentsDirectory: defaultAgentsFolder });
  if (installed.kind === "failed") throw new Error(installed.message);
  const state = path.join(folder, "state");
  const { deploymentId } = await openStateFolder(state);
  const notices: string[] = [];
  const deployment = await startLocal({
    state,
    agents: defaultAgentsFolder,
    repositories: [repository],
    providerKeys: new Map(keyNames.map((name) => [name, canaryKey])),
    allowedEndpoints: [],
    port: 0,
    image,
    factory,
    ...(main === undefined ? {} : { main }),
    onNotice: (text) => notices.push(text),
    onLine,
    cancelled: new AbortController().signal,
  });
  const model = await startModelServer();
  const client = createClient(deployment.url, deployment.token);
  const project = await client.createProject({
    name: "parcel-rates",
    source: { kind: "local", path: repository },
    settings: { validation, ...settings },
  });
  const play = async (scenario: string) => {
    await client.putProvider("gemini", { apiEndpoint: `${model.url}/s/${scenario}` });
  };
  await play("fix");
  return {
    folder,
    repository,
    deployment,
    client,
    model,
    projectId: project.id,
    deploymentId,
    notices,
    play,
    async close() {
      await deployment.stop();
      await model.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

let keys = 0;

export function submit(world: World, request: object = {}, key?: string) {
  keys += 1;
  const task = { projectId: world.projectId, prompt: "Fix the test.", type: "fix", ...request };
  return world.client.createTask(task, key ?? `e2e-${keys}-${Date.now()}`);
}

/** Every event of a task until its end, and then the task. */
export async function watchToEnd(
  world: World,
  taskId: string,
): Promise<{ events: StreamedEvent[]; task: TaskDetail }> {
  const events: StreamedEvent[] = [];
  for await (const event of world.client.events(taskId)) events.push(event);
  return { events, task: await world.client.task(taskId) };
}

/** Waits until the agent has begun to use a tool: it is in the middle of its work then. */
export async function untilToolUse(world: World, taskId: string): Promise<void> {
  for await (const { event } of world.client.events(taskId)) if (event.type === "tool_use") return;
  throw new Error("the task ended before its agent used a tool");
}

/** Processes that an execution has left, whatever group they are in. */
export const processesOf = (executionId: string) =>
  findMarked([`SWITCHYARD_EXECUTION=${executionId}`]);

export const commitOf = (world: World, branch: string) =>
  git(world.repository, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}`);

export const factoryBranches = async (world: World): Promise<string[]> =>
  (await git(world.repository, "for-each-ref", "--format=%(refname:short)", "refs/heads/factory"))
    .split("\n")
    .filter((name) => name !== "");
