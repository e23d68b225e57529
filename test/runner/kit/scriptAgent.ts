import { join } from "node:path";
import { expect } from "vitest";
import type { AgentAdapter } from "../../../apps/agent-runner/agents/agentAdapter.ts";
import { createGeminiParser } from "../../../apps/agent-runner/agents/geminiEvents.ts";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { RunReport, RunRequest } from "../../../shared/contracts/runner.ts";
import { openRunner, type TestRunner } from "./runners.ts";

/** An agent whose prompt is the program that it runs; it speaks as Gemini does. */
export const scriptAgent: AgentAdapter = {
  name: "script",
  find: async () => ({
    kind: "installed",
    version: "1.0.0",
    program: [process.execPath, "--no-warnings", "--input-type=module", "-"],
  }),
  command: (program, { prompt, session }) => ({
    argv: program,
    env: { SESSION: `${session.kind} ${session.id}` },
    stdin: prompt,
  }),
  seedHome: async () => {},
  firstSignal: "SIGTERM",
  lingerMs: 200,
  sessionPaths: ["session"],
  createParser: createGeminiParser,
};

export const scriptRegistry = { script: scriptAgent };

const prelude = `
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
const emit = (event) => console.log(JSON.stringify(event));
const say = (content) => emit({ type: "message", role: "assistant", content });
const succeed = () => emit({ type: "result", status: "success", stats: {} });
const forever = () => new Promise(() => setInterval(() => {}, 1e6));
`;

/** The request of a run whose agent does what this program says. */
export const scriptRun = (
  repository: string,
  script: string,
  more: Partial<RunRequest> = {},
): RunRequest => runRequest(repository, { prompt: `${prelude}\n${script}`, ...more });

export const runRequest = (repository: string, more: Partial<RunRequest> = {}): RunRequest => ({
  protocol: "runner/1",
  fence: 1,
  taskId: "task_1",
  agent: "script",
  prompt: "go",
  source: { kind: "local", path: repository },
  limits: { wallClockMs: 60_000, silenceMs: 60_000, maxPatchBytes: 1_000_000 },
  secrets: {},
  ...more,
});

export type FinishedRun = TestRunner & { events: AgentEvent[]; report: RunReport; folder: string };

/** Opens a runner for one repository and has a script agent run there to its end. */
export async function runScript(
  repository: string,
  script: string,
  more: Partial<RunRequest> = {},
): Promise<FinishedRun> {
  const opened = await openRunner({ repositories: [repository], registry: scriptRegistry });
  return finishRun(opened, "exec_1", scriptRun(repository, script, more));
}

export async function finishRun(
  opened: TestRunner,
  id: string,
  request: RunRequest,
): Promise<FinishedRun> {
  await opened.client.put(`/runs/${id}`, request);
  const events = await opened.client.finished(`/runs/${id}`);
  const { report } = await opened.client.runResult(`/runs/${id}`);
  if (report === null) return expect.fail("a finished run has no report");
  const folder = join(opened.state, "runs", id);
  return { ...opened, events: events.map(({ event }) => event), report, folder };
}

/** Follows a run until an event is the one that is waited for. */
export async function waitForEvent(
  { client }: Pick<TestRunner, "client">,
  path: string,
  isIt: (event: AgentEvent) => boolean,
): Promise<AgentEvent> {
  for await (const { event } of client.events(path, 0, 60_000)) if (isIt(event)) return event;
  return expect.fail(`${path} ended without the event that was waited for`);
}

export const said =
  (text: string) =>
  (event: AgentEvent): boolean =>
    event.type === "message" && event.text === text;
