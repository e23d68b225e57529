import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { installedAt } from "../../apps/agent-runner/agents/installed.ts";
import { agentRegistry } from "../../apps/agent-runner/agents/registry.ts";
import { createClient } from "../demo/client.ts";
import { makeDemoRepository } from "../demo/repository.ts";
import { startLocal } from "../local/deployment.ts";

export type Relay = {
  events: number;
  /** Events a second from the agent's first message to the last one that the watcher has. */
  relayed: number;
  /** The same program's lines through a pipe to a reader that counts them, in the same run. */
  rawPipe: number;
  lost: number;
  outOfOrder: number;
  /** Events a second when a second watcher asks for all of them again, from 0. */
  replayed: number;
};

const messages = 50_000;
const program = path.join(import.meta.dirname, "chattyAgent.mjs");

/** Events of one run on their way agent → runner (disk) → supervisor (SQLite) → server-sent events → watcher. */
export async function measureRelay(): Promise<Relay> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "switchyard-relay-"));
  try {
    const rawPipe = await measurePipe();
    const agents = path.join(folder, "agents");
    await installChattyAgent(agents);
    const repository = path.join(folder, "repository");
    await mkdir(repository);
    await makeDemoRepository(repository);
    const deployment = await startLocal({
      state: path.join(folder, "state"),
      agents,
      repositories: [repository],
      providerKeys: new Map([["GEMINI_API_KEY", "a-key-that-nobody-asks-for"]]),
      allowedEndpoints: [],
      port: 0,
      onNotice: () => {},
      onLine: () => {},
      cancelled: new AbortController().signal,
    });
    try {
      return {
        rawPipe,
        ...(await watchTwice(createClient(deployment.url, deployment.token), repository)),
      };
    } finally {
      await deployment.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Where the runner looks for Gemini CLI, in the pinned version. */
async function installChattyAgent(agents: string): Promise<void> {
  const { folder } = installedAt(agents, "gemini");
  const bundle = path.join(folder, "node_modules/@google/gemini-cli/bundle");
  await mkdir(bundle, { recursive: true });
  await cp(program, path.join(bundle, "gemini.js"));
  const found = await agentRegistry.gemini.find(agents);
  if (found.kind === "missing") throw new Error(found.message);
}

async function measurePipe(): Promise<number> {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  let lines = 0;
  let startedAtMs = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (startedAtMs === 0) startedAtMs = performance.now();
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  await ended;
  return lines / seconds;
}

type Api = ReturnType<typeof createClient>;

async function watchTwice(client: Api, repository: string) {
  const { id: projectId } = await client.createProject({
    name: "chatty",
    source: { kind: "local", path: repository },
    settings: {},
  });
  const task = { projectId, prompt: "Say what you do.", type: "fix", provider: "gemini" };
  const { id } = await client.createTask(task, "relay");
  const live = await watch(client, id);
  const again = await watch(client, id);
  return {
    events: live.seen,
    relayed: live.perSecond,
    lost: 2 * messages - live.seen - again.seen,
    outOfOrder: live.outOfOrder + again.outOfOrder,
    replayed: again.perSecond,
  };
}

/** Counts the messages of a task until its end. */
async function watch(client: Api, taskId: string) {
  let seen = 0;
  let outOfOrder = 0;
  let firstAtMs = 0;
  let lastAtMs = 0;
  for await (const { event } of client.events(taskId)) {
    if (event.type !== "message") continue;
    if (firstAtMs === 0) firstAtMs = performance.now();
    lastAtMs = performance.now();
    seen += 1;
    if (!event.text.startsWith(`step ${seen}:`)) outOfOrder += 1;
  }
  return { seen, outOfOrder, perSecond: seen / ((lastAtMs - firstAtMs) / 1000) };
}
