import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import type { AgentRequest, FoundAgent } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { type RunMarkers, runEnvironment } from "../../apps/agent-runner/processes/environment.ts";
import { chunksOf, startGuarded } from "../../apps/agent-runner/processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../../apps/agent-runner/processes/stopLadder.ts";
import { makeRepo, startModelServer } from "../../apps/scripted-model/model-server.mjs";
import { git } from "../demo/repository.ts";
import type { RecordedAgent } from "./agents.ts";
import { recordTalk } from "./recordTalk.ts";

/** Cases that end by themselves and in the same way each time. */
export const cases = ["plain", "edit", "bad-tool", "error-400", "error-401", "error-403"] as const;
export type Case = (typeof cases)[number];

export type Recorded = { stdout: string; stderr: string; exitCode: number | null };

const longestMs = 120_000;

/** The key is made up. */
const key = "sk-made-up-SECRET0001";

/** Lets a real CLI play a case, and keeps what it says. Nothing of it is left running. */
export async function recordCase(
  agent: RecordedAgent,
  found: Extract<FoundAgent, { kind: "installed" }>,
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
    const request: AgentRequest = {
      prompt: "Rename the function add in src/math.js to sum and add a test for it.",
      ...(agent.model === undefined ? {} : { model: agent.model }),
      endpoint: `${model.url}/s/${scenario}`,
      session: { kind: "new", id: randomUUID() },
      home,
      password: randomUUID(),
      secrets: { [agent.key]: key },
    };
    await agent.adapter.seedHome(home, { program: found.program, request });
    const markers = { runnerId: `record-${process.pid}`, executionId: scenario };
    const environment = runEnvironment(markers, { home, temporary });
    return await runToItsEnd(agent, { request, workspace, markers, environment }, found.program);
  } finally {
    await model.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Place = {
  request: AgentRequest;
  workspace: string;
  markers: RunMarkers;
  environment: Record<string, string>;
};

async function runToItsEnd(
  { adapter, tap }: RecordedAgent,
  { request, workspace, markers, environment }: Place,
  program: readonly string[],
): Promise<Recorded> {
  const command = adapter.command(program, request);
  const env = { ...request.secrets, ...command.env, ...environment };
  const child = startGuarded({ ...command, env, cwd: workspace, markers });
  const late = AbortSignal.timeout(longestMs);
  const isTalkedWith = "converse" in adapter && tap !== undefined;
  const talk = isTalkedWith ? { adapter, command, request, workspace } : null;
  if (talk === null)
    late.addEventListener("abort", () => void endByLadder(child, ladderFrom(adapter.firstSignal)));
  const [stdout, stderr] = await Promise.all([
    talk === null || tap === undefined
      ? textOf(child.stdout)
      : recordTalk(child, talk, tap(), late),
    textOf(child.stderr),
  ]);
  const exit = await child.exit;
  await child.closed;
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
