import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { AcpAgent } from "../../../apps/agent-runner/agents/acp/acpConfig.ts";
import type { AgentRegistry } from "../../../apps/agent-runner/agents/registry.ts";

import { type Runner, startRunner } from "../../../apps/agent-runner/startRunner.ts";
import type { RunnerRole } from "../../../shared/contracts/runner.ts";
import { type Client, createClient } from "./client.ts";
import { temporaryFolder } from "./repositories.ts";
import { onFinished } from "./testScope.ts";

export const testToken = "test-token-of-the-runner";
export const projectFolder = join(import.meta.dirname, "../../..");
export const serverProgram = join(projectFolder, "apps/agent-runner/server.ts");
export const agentsDirectory = join(projectFolder, ".switchyard/agents");

/** `logged` is what the runner has told its operator. */
export type TestRunner = { runner: Runner; client: Client; state: string; logged: object[] };

export type RunnerChoice = {
  role?: RunnerRole;
  repositories?: string[];
  state?: string;
  registry?: AgentRegistry;
  keepWorkspaces?: boolean;
  masked?: Record<string, string>;
  acpAgents?: AcpAgent[];
};

/** A runner in this process, so that a test can hand it agents of its own. */
export async function openRunner(choice: RunnerChoice = {}): Promise<TestRunner> {
  const state = choice.state ?? temporaryFolder("state");
  const logged: object[] = [];
  const runner = await startRunner({
    role: choice.role ?? "agents",
    host: "127.0.0.1",
    port: 0,
    state,
    agents: agentsDirectory,
    repositories: choice.repositories ?? [],
    token: testToken,
    masked: choice.masked ?? {},
    keepWorkspaces: choice.keepWorkspaces ?? false,
    log: (entry) => void logged.push(entry),
    acpAgents: choice.acpAgents ?? [],
    ...(choice.registry ? { registry: choice.registry } : {}),
  });
  onFinished(() => runner.close());
  return { runner, client: createClient(runner.url, testToken), state, logged };
}

export type RunnerProcess = { process: ChildProcess; client: Client; state: string };

/** A runner as it is started for real: a process of its own. */
export async function spawnRunner(
  choice: Omit<RunnerChoice, "registry"> & { flags?: string[] } = {},
): Promise<RunnerProcess> {
  const state = choice.state ?? temporaryFolder("state");
  const repositories = (choice.repositories ?? []).flatMap((path) => ["--repo", path]);
  const child = spawn(
    process.execPath,
    [
      ...["--no-warnings", serverProgram, "--role", choice.role ?? "agents", "--port", "0"],
      ...["--state", state, "--agents", agentsDirectory, ...repositories, ...(choice.flags ?? [])],
    ],
    {
      env: { PATH: process.env.PATH, SWITCHYARD_RUNNER_TOKEN: testToken },
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  onFinished(() => endProcess(child, "SIGTERM"));
  const [line] = await once(createInterface({ input: child.stdout as Readable }), "line");
  const { url } = JSON.parse(line) as { url: string };
  return { process: child, client: createClient(url, testToken), state };
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}
