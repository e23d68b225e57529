/**
 * Installs an agent's CLI in its pinned version:
 *   node apps/agent-runner/agents/install.ts AGENT [--agents DIR]
 */
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { isPinned, pinnedAgents } from "../../../shared/agentPins.ts";
import { defaultAgentsDirectory } from "../options.ts";
import { systemPath } from "../processes/environment.ts";
import { type GuardedCommand, startGuarded } from "../processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../processes/stopLadder.ts";
import type { AgentAdapter } from "./agentAdapter.ts";
import { installedAt, pinFolder } from "./installed.ts";
import { type AgentName, agentRegistry } from "./registry.ts";

export type InstallOutcome =
  | { kind: "installed"; version: string; folder: string }
  | { kind: "already_installed"; version: string; folder: string }
  | { kind: "failed"; message: string };

export type InstallRequest = {
  agent: AgentName;
  agentsDirectory: string;
  onProgress?: (message: string) => void;
  /** Ends npm, and with it the installation. */
  cancelled?: AbortSignal | undefined;
};

const abandonedAfterMs = 60 * 60 * 1000;

/**
 * By `npm ci` into a folder of its own, which then takes its place in one step: whoever looks sees all of it or
 * nothing, and of two that install at once one simply comes second. No install script runs.
 */
export async function installAgent(request: InstallRequest): Promise<InstallOutcome> {
  const { agent, agentsDirectory, onProgress = () => {} } = request;
  if (!isPinned(agent)) return withoutPin(request);
  const { folder, version } = installedAt(agentsDirectory, agent);
  const isThere = async () =>
    (await agentRegistry[agent].find(agentsDirectory)).kind === "installed";
  if (await isThere()) return { kind: "already_installed", version, folder };

  await mkdir(agentsDirectory, { recursive: true });
  await removeAbandoned(agentsDirectory);
  const draft = await mkdtemp(join(agentsDirectory, `.installing-${agent}-`));
  try {
    for (const name of ["package.json", "package-lock.json"])
      await copyFile(join(pinFolder(agent), name), join(draft, name));
    onProgress(`installing ${agent} ${version}`);
    const failure = await runNpm(request, draft);
    if (failure !== null) return { kind: "failed", message: failure };
    await chmod(draft, 0o755);
    await rename(draft, folder).catch(() => {});
  } finally {
    await rm(draft, { recursive: true, force: true, maxRetries: 3 });
  }
  const found = await agentRegistry[agent].find(agentsDirectory);
  if (found.kind === "missing")
    return {
      kind: "failed",
      message: `${agent} ${version} has no program for ${process.platform} ${process.arch} in ${folder}.`,
    };
  const failure = await unpack(request, found.program);
  return failure === null
    ? { kind: "installed", version, folder }
    : { kind: "failed", message: failure };
}

/** It is there because somebody put it there, or it is not. */
async function withoutPin({ agent, agentsDirectory }: InstallRequest): Promise<InstallOutcome> {
  const found = await agentRegistry[agent].find(agentsDirectory);
  if (found.kind === "missing") return { kind: "failed", message: found.message };
  return {
    kind: "already_installed",
    version: found.version,
    folder: join(agentsDirectory, agent),
  };
}

const npmCi = ["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"];

async function runNpm(request: InstallRequest, folder: string): Promise<string | null> {
  const ended = await runToItsEnd(request, { argv: npmCi, cwd: folder, env: npmEnvironment() });
  if (ended === null) return cancelledMessage;
  return ended.code === 0 ? null : explain(ended.code, ended.output);
}

/** So that no run has to. Where this fails the first run does it. */
async function unpack(request: InstallRequest, program: readonly string[]): Promise<string | null> {
  const adapter: AgentAdapter = agentRegistry[request.agent];
  const command = adapter.unpack?.(program);
  if (command === undefined) return null;
  const home = await mkdtemp(join(request.agentsDirectory, `.installing-${request.agent}-`));
  try {
    const env = { PATH: systemPath, HOME: home, ...command.env };
    const ended = await runToItsEnd(request, { argv: command.argv, cwd: home, env });
    if (ended === null) return cancelledMessage;
    return ended.code === 0 ? null : `${request.agent} did not unpack: ${ended.output.trim()}`;
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Null when it was cancelled. Answers only when the command and all that it started is gone. */
async function runToItsEnd(
  { agent, cancelled, onProgress }: InstallRequest,
  { argv, cwd, env }: Pick<GuardedCommand, "argv" | "cwd" | "env">,
): Promise<{ code: number | string | null; output: string } | null> {
  if (cancelled?.aborted) return null;
  const markers = { runnerId: `install-${process.pid}`, executionId: agent };
  const marks = { SWITCHYARD_RUNNER: markers.runnerId, SWITCHYARD_EXECUTION: markers.executionId };
  const child = startGuarded({ argv, cwd, env: { ...env, ...marks }, stdin: "", markers });
  const end = () => void endByLadder(child, ladderFrom("SIGTERM"));
  cancelled?.addEventListener("abort", end);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-16_384);
      onProgress?.(text.trimEnd());
    });
  const started = await child.started;
  const exit = await child.exit;
  await child.closed;
  cancelled?.removeEventListener("abort", end);
  if (cancelled?.aborted) return null;
  const code = started.kind === "not_started" ? started.message : (exit?.exitCode ?? null);
  return { code, output };
}

const cancelledMessage = "The installation was cancelled.";

const unreachable =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|EAI_AGAIN|ETIMEDOUT|ENOTCACHED/;

function explain(exitCode: number | string | null, output: string): string {
  if (typeof exitCode === "string")
    return `npm could not be started (${exitCode}): install Node with npm.`;
  if (unreachable.test(output))
    return "The package registry cannot be reached: go online, or set npm's registry or proxy.";
  const said = output.trim().split("\n").slice(-3).join(" ");
  return `npm ci ended with ${exitCode}: ${said}`;
}

/** Npm needs the caller's own settings, but not those of an npm script that this may run in. */
function npmEnvironment(): Record<string, string> {
  const ofScript =
    /^(npm_(package|lifecycle)_|npm_config_(local_)?prefix$|npm_command$|SWITCHYARD_)/;
  const kept = Object.entries(process.env).flatMap(([name, value = ""]) =>
    ofScript.test(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(kept);
}

async function removeAbandoned(agentsDirectory: string): Promise<void> {
  for (const name of await readdir(agentsDirectory)) {
    const path = join(agentsDirectory, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (name.startsWith(".installing-") && Date.now() - mtimeMs > abandonedAfterMs)
      await rm(path, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const options = { agents: { type: "string", default: defaultAgentsDirectory } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const agent = pinnedAgents.find((name) => name === positionals[0]);
  if (agent === undefined || positionals.length !== 1) {
    console.error(
      `usage: node apps/agent-runner/agents/install.ts ${pinnedAgents.join("|")} [--agents DIR]`,
    );
    process.exitCode = 2;
    return;
  }
  const onProgress = (message: string) => console.error(message);
  const agentsDirectory = resolve(values.agents);
  const cancelling = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => cancelling.abort());
  const cancelled = cancelling.signal;
  const outcome = await installAgent({ agent, agentsDirectory, onProgress, cancelled });
  console.log(JSON.stringify(outcome));
  process.exitCode = outcome.kind === "failed" ? 1 : 0;
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) await main();
