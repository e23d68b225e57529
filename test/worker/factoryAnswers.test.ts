import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  agentsOfFactory,
  factoryContainers,
} from "../../orchestrator/worker/platform/factoryContainers.ts";
import type {
  FactoryContainersContract,
  FactoryPlan,
} from "../../shared/contracts/factoryContainers.ts";

const acme = { organizationId: "org_acme", factory: "acme" };
const planOf = (executionId: string) => ({
  executionId,
  lifetimeMs: 60_000,
  model: { baseUrl: "https://model.example.com", secretName: "GEMINI_API_KEY" },
  allowedHosts: ["packages.example.com"],
});
const factoryWith = (calls: Partial<FactoryContainersContract>) =>
  calls as FactoryContainersContract;
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: { code?: string }) => error.code,
  );
/** Whether the token of an execution is worth anything to its factory. */
const judge = async (executionId: string, token: string) =>
  (
    await env.EGRESS_GUARD.getByName(executionId).judge(acme, {
      method: "POST",
      url: "http://model.switchyard/v1",
      credentials: [token],
    })
  ).kind;

describe("the answer of a factory", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["that never comes", () => new Promise(() => {}), "runner_unreachable"],
    ["that is an exception", () => Promise.reject(new Error("away")), "runner_unreachable"],
    ["that is something else", async () => "hello", "runner_protocol_error"],
    ["of another shape", async () => ({ ok: true, value: { agents: 3 } }), "runner_protocol_error"],
    [
      "that is an error",
      async () => ({ ok: false, error: { code: "busy", message: "no room" } }),
      "busy",
    ],
  ])("%s is told apart", async (_, health, code) => {
    const service = factoryWith({ health: health as FactoryContainersContract["health"] });

    expect(await codeOf(agentsOfFactory(service, 50))).toBe(code);
  });
});

describe("the containers of a factory", () => {
  it("are asked for with a token and hosts, and nothing of the model service or its key", async () => {
    const asked: FactoryPlan[] = [];
    const service = factoryWith({
      runContainer: async (plan) => {
        asked.push(plan);
        return { ok: true, value: { kind: "open" } };
      },
    });
    const containers = factoryContainers(service, env.EGRESS_GUARD, acme);

    const first = await containers.open(planOf("exec_asked"));
    const again = await containers.open(planOf("exec_asked"));

    expect(again).toEqual(first);
    expect(asked[1]).toEqual(asked[0]);
    expect(asked[0]).toEqual({
      organizationId: "org_acme",
      executionId: "exec_asked",
      token: first.kind === "open" ? first.token : "",
      lifetimeMs: 60_000,
      allowedHosts: ["packages.example.com"],
    });
  });

  it("have a token that is worth nothing after the end, though the factory cannot be told of it", async () => {
    const service = factoryWith({
      runContainer: async () => ({ ok: true, value: { kind: "open" } }),
      endContainer: () => Promise.reject(new Error("away")),
    });
    const containers = factoryContainers(service, env.EGRESS_GUARD, acme);
    const opened = await containers.open(planOf("exec_ended"));
    const token = opened.kind === "open" ? opened.token : "";
    expect(await judge("exec_ended", token)).toBe("model");

    expect(await codeOf(containers.close("exec_ended"))).toBe("runner_unreachable");

    expect(await judge("exec_ended", token)).toBe("denied");
    expect(await containers.open(planOf("exec_ended"))).toEqual({ kind: "closed" });
  });

  it("are not asked for by a run that was ended before it began", async () => {
    const containers = factoryContainers(
      factoryWith({ endContainer: async () => ({ ok: true, value: null }) }),
      env.EGRESS_GUARD,
      acme,
    );
    await containers.close("exec_never");

    expect(await containers.open(planOf("exec_never"))).toEqual({ kind: "closed" });
  });
});
