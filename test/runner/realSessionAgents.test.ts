import { beforeAll, describe, expect, it } from "vitest";
import type { AcpAgent } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import { installAgent } from "../../apps/agent-runner/agents/install.ts";
import { geminiByAcp, opencodeByAcp } from "../../scripts/agents-record/acpAgents.ts";
import { agentPins } from "../../shared/agentPins.ts";
import { scriptedModel } from "./kit/modelServer.ts";
import { commandOf, processesOf, untilRunning } from "./kit/processes.ts";
import {
  beginReal,
  expectCancelled,
  expectNothingLeft,
  filesBelow,
  playReal,
  type RealAgent,
  realRequest,
  repositoryOf,
} from "./kit/realRuns.ts";
import { agentsDirectory, openRunner } from "./kit/runners.ts";
import { finishRun, waitForEvent } from "./kit/scriptAgent.ts";
import { anewInPlaceOf, putSession, takeSession } from "./kit/sessions.ts";

const opencode: RealAgent = {
  agent: "opencode",
  credentialVariable: "OPENCODE_API_KEY",
  model: "m1",
};

beforeAll(async () => {
  for (const agent of ["opencode", "gemini"] as const) {
    const outcome = await installAgent({ agent, agentsDirectory });
    if (outcome.kind === "failed") throw new Error(outcome.message);
  }
}, 300_000);

describe("opencode", () => {
  it("mends what a failing test shows", async () => {
    const { report, events } = await playReal(opencode, "fix", {}, scriptedModel.makeFailingRepo);

    expect(report).toMatchObject({
      agent: "opencode",
      agentVersion: agentPins.opencode,
      stoppedBy: null,
      fault: null,
      error: null,
      terminal: { ok: true, text: expect.stringMatching(/All tests pass/) },
      exit: { dismissed: true },
      toolCalls: 4,
      deniedToolCalls: 0,
      usage: { inputTokens: 5000, cachedInputTokens: 1000, outputTokens: 250, costMicroUsd: null },
      patch: { files: { "src/shipping.js": { op: "edit" } } },
    });
    const results = events.flatMap((event) => (event.type === "tool_result" ? [event.output] : []));
    expect(results[0]).toContain("# fail 1");
    expect(results[3]).toContain("# fail 0");
  });

  it.each([
    ["error-401", "auth", 401],
    ["error-429", "rate_limit", 429],
    ["error-400", "invalid_request", 400],
  ] as const)("plays %s and tells so", async (scenario, kind, status) => {
    const { report } = await playReal(opencode, scenario);

    expect(report).toMatchObject({ terminal: { ok: false }, error: { kind, status }, patch: null });
  });

  it("tells of a spent quota while it tries again, and is ended by the limit", async () => {
    const limits = { wallClockMs: 25_000, silenceMs: 25_000, maxPatchBytes: 1_000_000 };

    const { report, events } = await playReal(opencode, "error-quota", { limits });

    expect(report).toMatchObject({ patch: null });
    expect(report.terminal?.ok ?? false).toBe(false);
    expect(events).toContainEqual(expect.objectContaining({ type: "retry", kind: "quota" }));
  });

  it("works with its own service at another address, in the wire format of each model", async () => {
    const own = { endpointIsOwn: true, model: "claude-sonnet-4-5" } as const;
    const { report } = await playReal(opencode, "edit", own);

    expect(report.patch).toMatchObject({ files: { "src/math.js": { op: "edit" } } });
    expect(report.usage?.costMicroUsd).toBeGreaterThan(0);
  });

  it("is cancelled during an answer that never ends", async () => {
    const opened = await beginReal(opencode, "hang");
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "message");

    await expectCancelled(opened);
  });

  it("is cancelled during a command that takes minutes, which ends too", async () => {
    const opened = await beginReal(opencode, "slow-tool");
    await untilRunning(opened.state, "sleep 300");

    await expectCancelled(opened);
  });

  it("is cancelled before it listens", async () => {
    const opened = await beginReal(opencode, "hang");
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "agent_started");

    await expectCancelled(opened);
  });

  it("that prints its key and its password shows them to nobody, and keeps its session", async () => {
    const { report, events, state } = await playReal(opencode, "leak");

    const told = JSON.stringify(events) + JSON.stringify(report);
    expect(told).toContain("[secret:OPENCODE_API_KEY]");
    expect(told).toContain("OPENCODE_SERVER_PASSWORD=[secret:AGENT_PASSWORD]");
    expect(filesBelow(state).filter((path) => path.endsWith("opencode.db"))).toHaveLength(1);
  });

  it("that has printed its key goes on with its session on another runner", async () => {
    const repository = repositoryOf();
    const began = await openRunner({ repositories: [repository] });
    const first = await finishRun(began, "exec_1", await realRequest(opencode, repository, "leak"));
    const session = { id: first.report.sessionId ?? "" };
    const archive = await takeSession(began.client, "exec_1");

    const opened = await anewInPlaceOf(began, { repositories: [repository] });
    await putSession(opened.client, "exec_2", archive);
    const second = await finishRun(
      opened,
      "exec_2",
      await realRequest(opencode, repository, "edit", { session }),
    );

    expect(first.report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(second.report).toMatchObject({
      sessionId: session.id,
      terminal: { ok: true },
      usage: { inputTokens: 5000 },
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
    expectNothingLeft(second);
  });

  it("that has only talked has no patch", async () => {
    const { report } = await playReal(opencode, "plain");

    expect(report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
  });

  it("tells that it does not know a session", async () => {
    const { report } = await playReal(opencode, "plain", {
      session: { id: "ses_00000000000000000000000000" },
    });

    expect(report).toMatchObject({ error: { kind: "invalid_request" }, patch: null });
  });

  it("that is killed has no last word", async () => {
    const { client, state } = await beginReal(opencode, "hang");
    await waitForEvent({ client }, "/runs/exec_1", ({ type }) => type === "init");

    for (const { pid } of processesOf(state))
      if (commandOf(pid).includes("/opencode ")) process.kill(pid, "SIGKILL");
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

/** By configuration alone, as an operator would write it. */
const realByAcp = (config: AcpAgent, model: string): RealAgent => ({
  agent: config.id,
  credentialVariable: config.credentialVariable,
  model,
  choice: { acpAgents: [config] },
});
const gemini = realByAcp(geminiByAcp, "gemini-2.5-pro");
const opencodeAcp = realByAcp(opencodeByAcp, "m1");

describe.each([gemini, opencodeAcp])("$agent, by configuration alone", (real) => {
  it("edits", async () => {
    const { report } = await playReal(real, "edit");

    expect(report).toMatchObject({
      agent: real.agent,
      terminal: { ok: true, reason: "end_turn" },
      error: null,
      toolCalls: 4,
      deniedToolCalls: 0,
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
  });

  it("with a wrong key tells so", async () => {
    const { report } = await playReal(real, "error-401");

    expect(report).toMatchObject({
      terminal: { ok: false },
      error: { kind: "auth" },
      patch: null,
    });
  });

  it("is cancelled during a command that takes minutes, which ends too", async () => {
    const opened = await beginReal(real, "slow-tool");
    await untilRunning(opened.state, "sleep 300");

    await expectCancelled(opened);
  });

  it("that prints its key shows it to nobody", async () => {
    const { report, events } = await playReal(real, "leak");

    expect(JSON.stringify(events) + JSON.stringify(report)).toContain(
      `[secret:${real.credentialVariable}]`,
    );
  });
});

describe("opencode-acp", () => {
  it("resumes its session in a later run, by configuration alone", async () => {
    const repository = repositoryOf();
    const opened = await openRunner({ repositories: [repository], ...opencodeAcp.choice });
    const plain = await realRequest(opencodeAcp, repository, "plain");
    const first = await finishRun(opened, "exec_1", plain);
    const session = { id: first.report.sessionId ?? "" };

    const edit = await realRequest(opencodeAcp, repository, "edit", { session });
    const second = await finishRun(opened, "exec_2", edit);

    expect(second.report).toMatchObject({
      sessionId: session.id,
      terminal: { ok: true },
      toolCalls: 4,
    });
    expectNothingLeft(second);
  });
});
