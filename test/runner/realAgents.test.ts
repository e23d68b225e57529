import { describe, expect, it } from "vitest";
import type { AgentAdapter, AgentCommand } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { agentRegistry } from "../../apps/agent-runner/agents/registry.ts";
import { judgeRun } from "../../orchestrator/worker/domain/outcome.ts";
import { type PinnedAgent, pinnedAgents } from "../../shared/agentPins.ts";
import type { RunReport } from "../../shared/contracts/runner.ts";
import { withInstalled } from "./kit/installed.ts";
import { scriptedModel } from "./kit/modelServer.ts";
import { commandOf, processesOf, untilRunning } from "./kit/processes.ts";
import { particulars } from "./kit/realAgents.ts";
import {
  beginReal,
  expectCancelled,
  expectNothingLeft,
  filesBelow,
  playInTurn,
  playReal,
} from "./kit/realRuns.ts";
import { temporaryFolder } from "./kit/repositories.ts";
import { waitForEvent } from "./kit/scriptAgent.ts";
import { inScope } from "./kit/testScope.ts";

// Every scenario below is played by the real program of every agent that npm has. After each run its processes are
// looked for, and its key in all that left the runner (kit/realRuns.ts).

withInstalled(pinnedAgents);

const edited = { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } };

const judged = ({ patch, ...facts }: RunReport) => judgeRun(facts, patch !== null);

// Most of these runs wait for their agent's next try, so they wait together.
describe("a model service that refuses", () => {
  const refusals = pinnedAgents.flatMap((agent) => {
    const { rateLimitStatus, quota } = particulars[agent];
    return [
      ["error-429", agent, "rate_limit", rateLimitStatus, "provider_rate_limited"],
      ...(quota === "tries_on"
        ? []
        : [["error-quota", agent, "quota", quota.status, "provider_quota"] as const]),
      ["error-401", agent, "auth", 401, "provider_auth"],
    ] as const;
  });

  it.concurrent.for(refusals)(
    "with %s ends %s in good time, which tells why",
    ([scenario, agent, kind, status, code], context) =>
      inScope(context, async () => {
        const { report } = await playReal(particulars[agent], scenario);

        expect(report).toMatchObject({ error: { kind, status }, stoppedBy: null, patch: null });
        expect(report.terminal?.ok ?? false).toBe(false);
        expect(report.durationMs).toBeLessThan(90_000);
        expect(judged(report)).toMatchObject({ kind: "bad", code });
      }),
  );

  const patient = pinnedAgents.filter((agent) => particulars[agent].quota === "tries_on");

  it.concurrent.for(patient)(
    "with error-quota makes %s tell of it and try on, until it is ended",
    (agent, context) =>
      inScope(context, async () => {
        const opened = await beginReal(particulars[agent], "error-quota");
        await waitForEvent(
          opened,
          "/runs/exec_1",
          (event) => event.type === "retry" && event.kind === "quota",
        );

        await expectCancelled(opened);
      }),
  );
});

describe.each(pinnedAgents)("%s", (agent) => {
  const real = particulars[agent];
  const { credentialVariable, inputTokens, program } = real;

  it("mends what a failing test shows", async () => {
    const { report, events } = await playReal(real, "fix", {
      make: scriptedModel.makeFailingRepo,
    });

    expect(report).toMatchObject({
      agent,
      stoppedBy: null,
      fault: null,
      error: null,
      terminal: { ok: true, text: expect.stringMatching(/All tests pass/) },
      exit: real.isDismissed ? { dismissed: true } : { exitCode: 0 },
      toolCalls: 4,
      deniedToolCalls: 0,
      patch: { files: { "src/shipping.js": { op: "edit" } } },
    });
    expect(judged(report).kind).toBe("patch");
    expect(report.patch?.patches).toMatchObject([
      { operation: "replace-block", start: 8, end: 8, metadata: { provider: agent } },
    ]);
    const results = events.flatMap((event) => (event.type === "tool_result" ? [event.output] : []));
    expect(results[0]).toContain("# fail 1");
    expect(results[3]).toContain("# fail 0");
    expect(report.usage).toMatchObject({ cachedInputTokens: 1000, cacheWriteTokens: 0 });
    expect(report.usage?.inputTokens).toBe(inputTokens.fix);
    expect(report.usage?.costMicroUsd).toBe(real.costOfFix);
  });

  it("edits in a folder whose name has a space and a comma", async () => {
    const state = temporaryFolder("a state, with spaces");

    const { report } = await playReal(real, "edit", { choice: { state } });

    expect(report).toMatchObject({ terminal: { ok: true }, patch: edited });
  });

  it("is cancelled during an answer that never ends", async () => {
    const opened = await beginReal(real, "hang");
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === real.saysFirst);

    await expectCancelled(opened);
  });

  it("is cancelled during a command that takes minutes, which ends too", async () => {
    const opened = await beginReal(real, "slow-tool");
    await untilRunning(opened.state, "sleep 300");

    await expectCancelled(opened);
  });

  it("that prints its key shows it to nobody, and goes on with its session in a later run", async () => {
    const { first, second, session } = await playInTurn(real, ["leak", "edit"]);

    const told = JSON.stringify(first.events);
    expect(told).toContain("SWITCHYARD_EXECUTION=exec_1");
    expect(told.includes(`[secret:${credentialVariable}]`)).toBe(real.showsKeyToTools);
    expect(filesBelow(first.state).some((path) => path.includes("/sessions/"))).toBe(true);
    expect(first.report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(second.report).toMatchObject({
      sessionId: session,
      terminal: { ok: true },
      patch: edited,
    });
    expect(second.report.usage?.inputTokens).toBe(inputTokens.edit);
  });

  it("that has only talked has no patch", async () => {
    const { report } = await playReal(real, "plain");

    expect(report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(judged(report).kind).toBe("no_changes");
  });

  it("tells that it does not know a session", async () => {
    const { report } = await playReal(real, "plain", {
      more: { session: { id: real.unknownSession } },
    });

    expect(report).toMatchObject({ error: { kind: "invalid_request" }, patch: null });
  });

  it("that is killed has no last word", async () => {
    const opened = await beginReal(real, "hang");
    const { client, state } = opened;
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "init");

    for (const { pid } of processesOf(state))
      if (commandOf(pid).includes(program)) process.kill(pid, "SIGKILL");
    const events = await client.finished("/runs/exec_1");

    const { report } = await client.runResult("/runs/exec_1");
    expect(report).toMatchObject({
      terminal: null,
      stoppedBy: null,
      fault: null,
      exit: { exitCode: null, signal: "SIGKILL" },
    });
    expectNothingLeft({ ...opened, events, report });
  });

  it("that may change nothing says all is well, and has failed", async () => {
    const registry = { [agent]: withoutPermission(agent) };

    const { report } = await playReal(real, "edit", { choice: { registry } });

    expect(report).toMatchObject({ terminal: { ok: true }, patch: null, fault: null });
    expect(report.deniedToolCalls).toBe(real.deniedWithout);
    expect(judged(report)).toMatchObject({ kind: "bad", code: "denied" });
  });
});

const withoutPermission = (agent: PinnedAgent): AgentAdapter => {
  const adapter: AgentAdapter = agentRegistry[agent];
  const command: AgentAdapter["command"] = (program, asked): AgentCommand =>
    particulars[agent].forbidden(adapter.command(program, asked));
  return { ...adapter, command };
};

describe("copilot", () => {
  it("unpacks itself beside its program, not into the HOME of every run", async () => {
    const { state, report } = await playReal(particulars.copilot, "plain", {
      choice: { keepWorkspaces: true },
    });

    expect(report.terminal?.ok).toBe(true);
    const kept = filesBelow(state);
    expect(kept.some((path) => path.includes("/home/.copilot/"))).toBe(true);
    expect(kept.filter((path) => path.includes("/pkg/"))).toEqual([]);
  });
});
