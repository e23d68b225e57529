import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import type { AgentAdapter, FoundAgent } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { runEnvironment } from "../../apps/agent-runner/processes/environment.ts";
import { chunksOf, startGuarded } from "../../apps/agent-runner/processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../../apps/agent-runner/processes/stopLadder.ts";
import { makeRepo, startModelServer } from "../../apps/scripted-model/model-server.mjs";
import { git } from "../demo/repository.ts";

/** How each agent is called against the scripted model. The key is made up. */
export const callOf = {
  "claude-code": { key: "ANTHROPIC_API_KEY", model: "claude-sonnet-4-5" },
  gemini: { key: "GEMINI_API_KEY", model: "gemini-2.5-pro" },
  codex: { key: "CODEX_API_KEY", model: "gpt-5.5" },
  copilot: { key: "COPILOT_PROVIDER_API_KEY", model: "gpt-5.4" },
} as const;

/** Cases that end by themselves and in the same way each time. */
export const cases = ["plain", "edit", "bad-tool", "error-400", "error-401", "error-403"] as const;
export type Case = (typeof cases)[number];

export type Recorded = { stdout: string; stderr: string; exitCode: number | null };

const longestMs = 120_000;

/** Lets a real CLI play a case, and keeps what it says. Nothing of it is left running. */
export async function recordCase(
  adapter: AgentAdapter,
  found: Extract<FoundAgent, { kind: "installed" }>,
  call: { key: string; model: string },
  scenario: Case,
): Promise<Recorded> {
  const folder = await mkdtemp(path.join(os.homedir(), ".switchyard-record-"));
  const model = await startModelServer();
  try {
    const [workspace, home, temporary] = ["workspace", "home", "tmp"].map((name) =>
      path.join(folder, name),
    ) as [string, string, string];
    for (const place of [home, temporary]) await mkdir(place);
    makeRepo(workspace);
    await git(workspace, "init", "--quiet");
    const request = {
      prompt: "Rename the function add in src/math.js to sum and add a test for it.",
      model: call.model,
      endpoint: `${model.url}/s/${scenario}`,
      session: { kind: "new" as const, id: randomUUID() },
      home,
      password: "",
      secrets: {},
    };
    await adapter.seedHome(home, { program: found.program, request });
    const command = adapter.command(found.program, request);
    const markers = { runnerId: `record-${process.pid}`, executionId: scenario };
    const env = {
      [call.key]: "sk-made-up-SECRET0001",
      ...command.env,
      ...runEnvironment(markers, { home, temporary }),
    };
    return await runToItsEnd(adapter, { ...command, env, cwd: workspace, markers });
  } finally {
    await model.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runToItsEnd(
  adapter: AgentAdapter,
  command: Parameters<typeof startGuarded>[0],
): Promise<Recorded> {
  const child = startGuarded(command);
  const timer = setTimeout(
    () => void endByLadder(child, ladderFrom(adapter.firstSignal)),
    longestMs,
  );
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const exit = await child.exit;
  await child.closed;
  clearTimeout(timer);
  return { stdout, stderr, exitCode: exit?.exitCode ?? null };
}

async function textOf(output: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(output)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Puts a recording beside others, to be looked at or to become a fixture. */
export async function keepRecording(
  folder: string,
  agent: string,
  scenario: Case,
  { stdout, stderr, exitCode }: Recorded,
): Promise<void> {
  const place = path.join(folder, agent, scenario);
  await mkdir(place, { recursive: true });
  await writeFile(path.join(place, "stdout"), stdout);
  if (stderr !== "") await writeFile(path.join(place, "stderr"), stderr);
  await writeFile(path.join(place, "meta.json"), `${JSON.stringify({ scenario, exitCode })}\n`);
}
