import { describe, expect, it } from "vitest";
import type { AgentRequest } from "../../orchestrator/worker/domain/ports/codeAgent.ts";
import type { Runner } from "../../orchestrator/worker/domain/ports/runner.ts";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import { cliAgentService } from "../../orchestrator/worker/services/ai-providers/cli/cliAgentService.ts";
import {
  type ProviderName,
  registry,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import type { RunRequest } from "../../shared/contracts/runner.ts";

async function secretsSent(name: ProviderName, endpoint: string | null) {
  const sent: RunRequest[] = [];
  const runner = {
    health: async () => ({}),
    startRun: async (_id: string, request: RunRequest) => void sent.push(request),
  } as unknown as Runner;
  const request = {
    taskId: "task_1",
    executionId: "exec_1",
    fence: 1,
    prompt: "go",
    model: null,
    endpoint,
    source: { kind: "local", path: "/repos/shop" },
    limits: { wallClockMs: 1000, silenceMs: 1000 },
    sessionId: null,
    credential: new Secret("the key"),
    doorbell: null,
    factory: null,
  } as unknown as AgentRequest;

  await cliAgentService({ name, ...registry[name] }, () => runner).start(request);
  return sent[0]?.secrets;
}

describe("the key of a run", () => {
  it("goes by the variable in which the agent's program reads it", async () => {
    expect(await secretsSent("codex", null)).toEqual({ CODEX_API_KEY: "the key" });
    expect(await secretsSent("codex", "https://gateway.example.com/v1")).toEqual({
      CODEX_API_KEY: "the key",
    });
  });

  it("goes by another one where the agent is pointed at another service", async () => {
    expect(await secretsSent("copilot", null)).toEqual({ COPILOT_GITHUB_TOKEN: "the key" });
    expect(await secretsSent("copilot", "https://gateway.example.com/v1")).toEqual({
      COPILOT_PROVIDER_API_KEY: "the key",
    });
  });
});
