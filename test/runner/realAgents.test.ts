import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { AgentAdapter } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { installAgent } from "../../apps/agent-runner/agents/install.ts";
import {
  type AgentName,
  agentNames,
  agentRegistry,
} from "../../apps/agent-runner/agents/registry.ts";
import type { RunRequest } from "../../shared/contracts/runner.ts";
import { playScenario, scriptedModel } from "./kit/modelServer.ts";
import { commandOf, processesOf, untilRunning } from "./kit/processes.ts";
import { commitAll, git, temporaryFolder } from "./kit/repositories.ts";
import { agentsDirectory, openRunner, type TestRunner } from "./kit/runners.ts";
import { finishRun, runRequest, waitForEvent } from "./kit/scriptAgent.ts";

const key = "sk-test-SECRET/of+the=model0001";
const keyNames = { "claude-code": "ANTHROPIC_API_KEY", gemini: "GEMINI_API_KEY" } as const;
const models = { "claude-code": "claude-sonnet-4-5", gemini: "gemini-2.5-pro" } as const;

beforeAll(async () => {
  for (const agent of agentNames) {
    const outcome = await installAgent({ agent, agentsDirectory });
    if (outcome.kind === "failed") throw new Error(outcome.message);
  }
}, 300_000);

function repositoryOf(make: (folder: string) => void): string {
  const folder = join(temporaryFolder("source"), "repo");
  make(folder);
  git(folder, "init", "--quiet");
  commitAll(folder, "first");
  return folder;
}

const request = async (
  agent: AgentName,
  repository: string,
  scenario: string,
  more: Partial<RunRequest> = {},
): Promise<RunRequest> =>
  runRequest(repository, {
    agent,
    prompt: "Do what the scenario says.",
    model: models[agent],
    endpoint: await playScenario(scenario),
    secrets: { [keyNames[agent]]: key },
    ...more,
  });

async function play(agent: AgentName, scenario: string, make = scriptedModel.makeRepo) {
  const repository = repositoryOf(make);
  const opened = await openRunner({ repositories: [repository] });
  return finishRun(opened, "exec_1", await request(agent, repository, scenario));
}

describe.each(agentNames)("%s", (agent) => {
  it("mends what a failing test shows", async () => {
    const { report, events } = await play(agent, "fix", scriptedModel.makeFailingRepo);

    expect(report).toMatchObject({
      agent,
      stoppedBy: null,
      fault: null,
      error: null,
      terminal: { ok: true, text: expect.stringMatching(/All tests pass/) },
      exit: { exitCode: 0 },
      toolCalls: 4,
      deniedToolCalls: 0,
      patch: { files: { "src/shipping.js": { op: "edit" } } },
    });
    expect(report.patch?.patches).toMatchObject([
      { operation: "replace-block", start: 8, end: 8, metadata: { provider: agent } },
    ]);
    const results = events.flatMap((event) => (event.type === "tool_result" ? [event.output] : []));
    expect(results[0]).toContain("# fail 1");
    expect(results[3]).toContain("# fail 0");
    expect(report.usage).toMatchObject({ cachedInputTokens: 1000, cacheWriteTokens: 0 });
    expect(report.usage?.inputTokens).toBe(agent === "gemini" ? 5000 : 6000);
    expect(report.usage?.costMicroUsd).toBe(agent === "gemini" ? null : 19_050);
  });

  it("works in a folder whose name has a space and a comma", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const state = temporaryFolder("a state, with spaces");
    const opened = await openRunner({ repositories: [repository], state });

    const { report } = await finishRun(opened, "exec_1", await request(agent, repository, "edit"));

    expect(report).toMatchObject({
      terminal: { ok: true },
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
  });

  it("with a wrong key tells so", async () => {
    const { report } = await play(agent, "error-401");

    expect(report).toMatchObject({
      terminal: { ok: false },
      error: { kind: "auth", status: 401 },
      patch: null,
    });
    expect(report.exit?.exitCode).not.toBe(0);
  });

  it("is cancelled during an answer that never ends", async () => {
    const opened = await begin(agent, "hang");
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "init");

    await expectCancelled(opened);
  });

  it("is cancelled during a command that takes minutes, which ends too", async () => {
    const opened = await begin(agent, "slow-tool");
    await untilRunning(opened.state, "sleep 300");

    await expectCancelled(opened);
  });

  it("that prints its key shows it to nobody, and none of it stays on the disk", async () => {
    const { report, events, state } = await play(agent, "leak");

    const told = JSON.stringify(events) + JSON.stringify(report);
    expect(told).toContain(`[secret:${keyNames[agent]}]`);
    expect(told).not.toContain(key);
    expect(told).not.toContain(JSON.stringify(key).slice(1, -1));
    expect(report.sessionId).not.toBe(null);
    const kept = filesBelow(state);
    expect(kept.some((path) => path.includes("/sessions/"))).toBe(true);
    for (const path of kept) expect(readFileSync(path).includes(key)).toBe(false);
  });

  it("that has only talked has no patch, and goes on with its session in a later run", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({ repositories: [repository] });
    const first = await finishRun(opened, "exec_1", await request(agent, repository, "plain"));
    const session = { id: first.report.sessionId ?? "" };

    const second = await finishRun(
      opened,
      "exec_2",
      await request(agent, repository, "edit", { session }),
    );

    expect(first.report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(second.report).toMatchObject({
      sessionId: session.id,
      terminal: { ok: true },
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
    expect(second.report.usage?.inputTokens).toBe(agent === "gemini" ? 5000 : 6000);
  });

  it("tells that it does not know a session", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({ repositories: [repository] });
    const session = { id: "99999999-2222-4333-8444-555555555555" };

    const { report } = await finishRun(
      opened,
      "exec_1",
      await request(agent, repository, "plain", { session }),
    );

    expect(report).toMatchObject({ error: { kind: "invalid_request" }, patch: null });
  });

  it("that is killed has no last word", async () => {
    const { client, state } = await begin(agent, "hang");
    await waitForEvent({ client }, "/runs/exec_1", ({ type }) => type === "init");
    const program = agent === "gemini" ? "gemini.js" : "/claude";

    for (const { pid } of processesOf(state))
      if (commandOf(pid).includes(program)) process.kill(pid, "SIGKILL");
    await client.finished("/runs/exec_1");

    const { report } = await client.runResult("/runs/exec_1");
    expect(report).toMatchObject({
      terminal: null,
      stoppedBy: null,
      fault: null,
      exit: { exitCode: null, signal: "SIGKILL" },
    });
  });
});

/** Starts a run and leaves it at work. */
async function begin(agent: AgentName, scenario: string): Promise<TestRunner> {
  const repository = repositoryOf(scriptedModel.makeRepo);
  const opened = await openRunner({ repositories: [repository] });
  await opened.client.put("/runs/exec_1", await request(agent, repository, scenario));
  return opened;
}

async function expectCancelled({ client, state }: TestRunner): Promise<void> {
  await client.cancel("/runs/exec_1");
  const events = await client.finished("/runs/exec_1");
  const { report } = await client.runResult("/runs/exec_1");

  expect(report).toMatchObject({ stoppedBy: "cancel", fault: null, patch: null });
  expect(events.at(-1)?.event).toEqual({ type: "interrupted", reason: "cancel" });
  expect(processesOf(state)).toEqual([]);
}

const flags = {
  "claude-code": ["--dangerously-skip-permissions"],
  gemini: ["--approval-mode", "yolo"],
};

/** The same agent, but not allowed to change anything. */
const withoutPermission = (agent: AgentName): AgentAdapter => ({
  ...agentRegistry[agent],
  command: (program, asked) => {
    const command = agentRegistry[agent].command(program, asked);
    return { ...command, argv: command.argv.filter((word) => !flags[agent].includes(word)) };
  },
});

describe.each(agentNames)("%s without permission", (agent) => {
  it("is denied every change, says all is well, and is not believed", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({
      repositories: [repository],
      registry: { [agent]: withoutPermission(agent) },
    });

    const { report } = await finishRun(opened, "exec_1", await request(agent, repository, "edit"));

    expect(report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(report.deniedToolCalls).toBe(3);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
