import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { AgentAdapter } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { installAgent } from "../../apps/agent-runner/agents/install.ts";
import {
  agentRegistry,
  type PinnedLineAgent,
  pinnedLineAgents,
} from "../../apps/agent-runner/agents/registry.ts";
import { scriptedModel } from "./kit/modelServer.ts";
import { commandOf, processesOf, untilRunning } from "./kit/processes.ts";
import {
  begin,
  filesBelow,
  modelKey,
  particulars,
  play,
  realRequest,
  repositoryOf,
} from "./kit/realAgents.ts";
import { temporaryFolder } from "./kit/repositories.ts";
import { agentsDirectory, openRunner, type TestRunner } from "./kit/runners.ts";
import { type FinishedRun, finishRun, waitForEvent } from "./kit/scriptAgent.ts";

beforeAll(async () => {
  for (const agent of pinnedLineAgents) {
    const outcome = await installAgent({ agent, agentsDirectory });
    if (outcome.kind === "failed") throw new Error(outcome.message);
  }
}, 300_000);

describe.each(pinnedLineAgents)("%s", (agent) => {
  const { costOfFix, inputTokens, key, program, quotaStatus, rateLimitStatus, showsKeyToTools } =
    particulars[agent];

  it("mends what a failing test shows", async () => {
    const { report, events, state } = await play(agent, "fix", scriptedModel.makeFailingRepo);

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
    expect(report.usage?.inputTokens).toBe(inputTokens.fix);
    expect(report.usage?.costMicroUsd).toBe(costOfFix);
    expectNothingLeft({ report, events, state });
  });

  it("works in a folder whose name has a space and a comma", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const state = temporaryFolder("a state, with spaces");
    const opened = await openRunner({ repositories: [repository], state });

    const { report } = await finishRun(
      opened,
      "exec_1",
      await realRequest(agent, repository, "edit"),
    );

    expect(report).toMatchObject({
      terminal: { ok: true },
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
  });

  it.each([
    ["error-401", "auth", 401],
    ["error-429", "rate_limit", rateLimitStatus],
    ["error-quota", "quota", quotaStatus],
  ] as const)("ends in good time on %s and tells why", async (scenario, kind, status) => {
    const run = await play(agent, scenario);

    const { report } = run;
    expect(report).toMatchObject({ error: { kind, status }, stoppedBy: null, patch: null });
    expect(report.terminal?.ok ?? false).toBe(false);
    expect(report.durationMs).toBeLessThan(45_000);
    expectNothingLeft(run);
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
    const run = await play(agent, "leak");

    const told = JSON.stringify(run.events);
    expect(told).toContain("SWITCHYARD_EXECUTION=exec_1");
    expect(told.includes(`[secret:${key}]`)).toBe(showsKeyToTools);
    expect(run.report.sessionId).not.toBe(null);
    expect(filesBelow(run.state).some((path) => path.includes("/sessions/"))).toBe(true);
    expectNothingLeft(run);
  });

  it("that has only talked has no patch, and goes on with its session in a later run", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({ repositories: [repository] });
    const first = await finishRun(opened, "exec_1", await realRequest(agent, repository, "plain"));
    const session = { id: first.report.sessionId ?? "" };

    const second = await finishRun(
      opened,
      "exec_2",
      await realRequest(agent, repository, "edit", { session }),
    );

    expect(first.report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(second.report).toMatchObject({
      sessionId: session.id,
      terminal: { ok: true },
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
    expect(second.report.usage?.inputTokens).toBe(inputTokens.edit);
    expectNothingLeft(second);
  });

  it("tells that it does not know a session", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({ repositories: [repository] });
    const session = { id: "99999999-2222-4333-8444-555555555555" };

    const { report } = await finishRun(
      opened,
      "exec_1",
      await realRequest(agent, repository, "plain", { session }),
    );

    expect(report).toMatchObject({ error: { kind: "invalid_request" }, patch: null });
  });

  it("that is killed has no last word", async () => {
    const { client, state } = await begin(agent, "hang");
    await waitForEvent({ client }, "/runs/exec_1", ({ type }) => type === "init");

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

async function expectCancelled({ client, state }: TestRunner): Promise<void> {
  await client.cancel("/runs/exec_1");
  const events = (await client.finished("/runs/exec_1")).map(({ event }) => event);
  const { report } = await client.runResult("/runs/exec_1");

  if (report === null) return expect.fail("a cancelled run has no report");
  expect(report).toMatchObject({ stoppedBy: "cancel", fault: null, patch: null });
  expect(events.at(-1)).toEqual({ type: "interrupted", reason: "cancel" });
  expectNothingLeft({ report, events, state });
}

/** No process of it runs, and its key stands nowhere in what left the runner or stays on its disk. */
function expectNothingLeft({
  report,
  events,
  state,
}: Omit<FinishedRun, "client" | "runner" | "folder">) {
  expect(processesOf(state)).toEqual([]);
  const told = JSON.stringify({ events, report });
  expect(told).not.toContain(modelKey);
  expect(told).not.toContain(JSON.stringify(modelKey).slice(1, -1));
  for (const path of filesBelow(state)) expect(readFileSync(path).includes(modelKey)).toBe(false);
}

/** The same agent, but not allowed to change anything. */
const withoutPermission = (agent: PinnedLineAgent): AgentAdapter => ({
  ...agentRegistry[agent],
  command: (program, asked) => {
    const command = agentRegistry[agent].command(program, asked);
    const { permission } = particulars[agent];
    return { ...command, argv: command.argv.filter((word) => !permission.includes(word)) };
  },
});

describe.each(pinnedLineAgents)("%s without permission", (agent) => {
  it("is denied every change, says all is well, and is not believed", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({
      repositories: [repository],
      registry: { [agent]: withoutPermission(agent) },
    });

    const { report } = await finishRun(
      opened,
      "exec_1",
      await realRequest(agent, repository, "edit"),
    );

    expect(report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(report.deniedToolCalls).toBe(particulars[agent].deniedWithout);
  });
});

describe("copilot", () => {
  it("unpacks itself beside its program, not into the HOME of every run", async () => {
    const repository = repositoryOf(scriptedModel.makeRepo);
    const opened = await openRunner({ repositories: [repository], keepWorkspaces: true });

    const asked = await realRequest("copilot", repository, "plain");
    const { state, report } = await finishRun(opened, "exec_1", asked);

    expect(report.terminal?.ok).toBe(true);
    const kept = filesBelow(state);
    expect(kept.some((path) => path.includes("/home/.copilot/"))).toBe(true);
    expect(kept.filter((path) => path.includes("/pkg/"))).toEqual([]);
  });
});
