import { describe, expect, it } from "vitest";
import type { RunOutside } from "../../orchestrator/worker/domain/ports/runner.ts";
import {
  keyPlaceOf,
  type ProviderDefinition,
  type ProviderName,
  providerNames,
  registry,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { containerRunner } from "../../orchestrator/worker/services/runners/container/containerRunner.ts";
import { pinnedAgents } from "../../shared/agentPins.ts";
import type { ContainerPlan } from "../../shared/containers/containerPlan.ts";
import type { RunRequest } from "../../shared/contracts/runner.ts";

const key = "the-real-key";
const definitionOf = (name: ProviderName): ProviderDefinition => registry[name];
const inside = ["api.github.com"];

/** What a container is told to let through, and what is sent into it. */
async function started(outside: Partial<RunOutside>, more: Partial<RunRequest> = {}) {
  let plan: ContainerPlan | undefined;
  let sent: RunRequest | undefined;
  const runner = containerRunner({
    agents: async () => ({}),
    archives: { get: async () => null, put: async () => {} },
    containers: {
      open: async (opened) => {
        plan = opened;
        return { kind: "open", token: "token-of-the-run" };
      },
      close: async () => {},
    },
    runnerOf: () => ({
      ...({} as ReturnType<Parameters<typeof containerRunner>[0]["runnerOf"]>),
      putBundle: async () => {},
      startRun: async (_, request) => {
        sent = request;
        return { fence: 1, state: "running" } as never;
      },
    }),
    bundleOf: async () => ({ commit: "c", branch: "main", body: new ReadableStream() }),
  });
  const request: RunRequest = {
    protocol: "runner/1",
    fence: 1,
    taskId: "task_1",
    agent: "an-agent",
    prompt: "Do it.",
    source: { kind: "local", path: "/repos/sample" },
    limits: { wallClockMs: 1_000, silenceMs: 1_000, maxPatchBytes: 1 },
    secrets: { THE_KEY: key },
    ...more,
  };
  await runner.startRun("exec_1", request, {
    outside: {
      organizationId: "org_1",
      credentialName: "SECRET_OF_THE_KEY",
      modelService: null,
      knowsOwnService: false,
      keyInsideHosts: null,
      allowedHosts: ["packages.example.com"],
      ...outside,
    },
  });
  if (plan === undefined || sent === undefined) return expect.fail("no container was opened");
  return { plan, sent };
}

describe("the key of a run in a container", () => {
  it("stays outside where the model service can be named", async () => {
    const { plan, sent } = await started({ modelService: "https://api.example.com/v1" });

    expect(plan).toMatchObject({
      model: { baseUrl: "https://api.example.com/v1", secretName: "SECRET_OF_THE_KEY" },
      allowedHosts: ["packages.example.com"],
    });
    expect(sent).toMatchObject({
      endpoint: "http://model.switchyard",
      secrets: { THE_KEY: "token-of-the-run" },
    });
    expect(sent).not.toHaveProperty("endpointIsOwn");
  });

  it("stays outside with an endpoint, even where it might go in", async () => {
    const endpoint = "https://gateway.example.com";

    const { plan, sent } = await started({ keyInsideHosts: inside }, { endpoint });

    expect(plan).toMatchObject({ model: { baseUrl: endpoint } });
    expect(plan.allowedHosts).toEqual(["packages.example.com"]);
    expect(JSON.stringify(sent)).not.toContain(key);
  });

  it("is not let in by default: the run does not start", async () => {
    await expect(started({})).rejects.toMatchObject({ code: "provider_unavailable" });
  });

  it("goes in for an agent that needs it where that is allowed, with its hosts", async () => {
    const { plan, sent } = await started({ keyInsideHosts: inside });

    expect(plan.model).toBe(null);
    expect(plan.allowedHosts).toEqual(["packages.example.com", ...inside]);
    expect(sent.secrets).toEqual({ THE_KEY: key });
    expect(sent).not.toHaveProperty("endpoint");
  });

  it("comes with word of whose address it is, for an agent that wants to know", async () => {
    const own = { modelService: "https://api.example.com/v1", knowsOwnService: true };

    expect((await started(own)).sent).toMatchObject({ endpointIsOwn: true });
    const elsewhere = await started(own, { endpoint: "https://gateway.example.com" });
    expect(elsewhere.sent).not.toHaveProperty("endpointIsOwn");
  });
});

describe("where a provider's key is", () => {
  it("is outside for every agent of the image but Copilot on GitHub", () => {
    const places = pinnedAgents.map((name) => [
      name,
      keyPlaceOf(name, definitionOf(name), null, []).kind,
    ]);

    expect(Object.fromEntries(places)).toEqual({
      "claude-code": "outside",
      gemini: "outside",
      codex: "outside",
      copilot: "refused",
      opencode: "outside",
    });
    for (const name of providerNames)
      expect(keyPlaceOf(name, definitionOf(name), "https://gateway.example.com", []).kind).toBe(
        "outside",
      );
  });

  it("says what to do where it would have to go in", () => {
    expect(keyPlaceOf("copilot", registry.copilot, null, [])).toMatchObject({
      because: expect.stringMatching(/apiEndpoint.*, or name it in ALLOW_KEYS_IN_CONTAINERS/),
    });
    expect(keyPlaceOf("copilot", registry.copilot, null, ["copilot"])).toMatchObject({
      kind: "inside",
      hosts: expect.arrayContaining(["api.github.com"]),
    });
  });

  it("is nowhere for an agent of which neither service nor hosts are known", () => {
    const place = keyPlaceOf("acme", {}, null, ["acme"]);

    expect(place).toMatchObject({ kind: "refused", because: expect.stringMatching(/not known/) });
  });
});
