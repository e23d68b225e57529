/**
 * Installs an agent's CLI in its pinned version:
 *   node apps/agent-runner/agents/install.ts claude-code|gemini [--agents DIR]
 */
import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { defaultAgentsDirectory } from "../options.ts";
import { installedAt, pinFolder } from "./installed.ts";
import { type AgentName, agentNames, agentRegistry } from "./registry.ts";

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
  const { folder, version } = await installedAt(agentsDirectory, agent);
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
    const failure = await runNpm(draft, onProgress, request.cancelled);
    if (failure !== null) return { kind: "failed", message: failure };
    await chmod(draft, 0o755);
    await rename(draft, folder).catch(() => {});
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  if (await isThere()) return { kind: "installed", version, folder };
  return {
    kind: "failed",
    message: `${agent} ${version} has no program for ${process.platform} ${process.arch} in ${folder}.`,
  };
}

/** Null when it went well. */
async function runNpm(
  folder: string,
  onProgress: (line: string) => void,
  cancelled?: AbortSignal,
): Promise<string | null> {
  const args = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"];
  const npm = spawn("npm", args, {
    cwd: folder,
    env: npmEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    signal: cancelled,
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-16_384);
      onProgress(text.trimEnd());
    });
  const exitCode = await new Promise<number | string | null>((settle) => {
    npm.once("error", (error) => settle(error.message));
    npm.once("close", settle);
  });
  if (cancelled?.aborted) return "The installation was cancelled.";
  return exitCode === 0 ? null : explain(exitCode, output);
}

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
function npmEnvironment(): NodeJS.ProcessEnv {
  const ofScript =
    /^(npm_(package|lifecycle)_|npm_config_(local_)?prefix$|npm_command$|SWITCHYARD_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofScript.test(name)));
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
  const agent = agentNames.find((name) => name === positionals[0]);
  if (agent === undefined || positionals.length !== 1) {
    console.error(
      `usage: node apps/agent-runner/agents/install.ts ${agentNames.join("|")} [--agents DIR]`,
    );
    process.exitCode = 2;
    return;
  }
  const onProgress = (message: string) => console.error(message);
  const agentsDirectory = resolve(values.agents);
  const outcome = await installAgent({ agent, agentsDirectory, onProgress });
  console.log(JSON.stringify(outcome));
  process.exitCode = outcome.kind === "failed" ? 1 : 0;
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) await main();
