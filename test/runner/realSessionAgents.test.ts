import { describe, expect, it } from "vitest";
import type { AcpAgent } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import { geminiByAcp, opencodeByAcp } from "../../scripts/agents-record/acpAgents.ts";
import { withInstalled } from "./kit/installed.ts";
import { untilRunning } from "./kit/processes.ts";
import { particulars } from "./kit/realAgents.ts";
import {
  beginReal,
  expectCancelled,
  expectNothingLeft,
  filesBelow,
  playInTurn,
  playReal,
  type RealAgent,
  realRequest,
  repositoryOf,
} from "./kit/realRuns.ts";
import { openRunner } from "./kit/runners.ts";
import { finishRun, waitForEvent } from "./kit/scriptAgent.ts";
import { anewInPlaceOf, putSession, takeSession } from "./kit/sessions.ts";

const { opencode } = particulars;

withInstalled(["opencode", "gemini"]);

describe("opencode", () => {
  it("tells of a request that its service refuses", async () => {
    const { report } = await playReal(opencode, "error-400");

    expect(report).toMatchObject({
      terminal: { ok: false },
      error: { kind: "invalid_request", status: 400 },
      patch: null,
    });
  });

  it("works with its own service at another address, in the wire format of each model", async () => {
    const own = { endpointIsOwn: true, model: "claude-sonnet-4-5" } as const;
    const { report } = await playReal(opencode, "edit", { more: own });

    expect(report.patch).toMatchObject({ files: { "src/math.js": { op: "edit" } } });
    expect(report.usage?.costMicroUsd).toBeGreaterThan(0);
  });

  it("is cancelled before it listens", async () => {
    const opened = await beginReal(opencode, "hang");
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "agent_started");

    await expectCancelled(opened);
  });

  it("that prints its password shows it to nobody, and keeps its session in one database", async () => {
    const { events, state } = await playReal(opencode, "leak");

    expect(JSON.stringify(events)).toContain("OPENCODE_SERVER_PASSWORD=[secret:AGENT_PASSWORD]");
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
    const { second, session } = await playInTurn(opencodeAcp, ["plain", "edit"]);

    expect(second.report).toMatchObject({
      sessionId: session,
      terminal: { ok: true },
      toolCalls: 4,
    });
  });
});
