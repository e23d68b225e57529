import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { httpApp } from "../../orchestrator/worker/entrypoints/http/app.ts";
import { type Env, readEnv } from "../../orchestrator/worker/env.ts";
import { agentPins } from "../../shared/agentPins.ts";
import { healthSchema } from "../../shared/contracts/health.ts";
import { version } from "../../shared/version.ts";

const ask = async (changes: object = {}) => {
  const response = await httpApp().request("/health", {}, { ...env, ...changes } as Env);
  return { status: response.status, body: await response.json<Record<string, unknown>>() };
};

describe("GET /health", () => {
  it("tells anybody what this deployment is made of, and no secret", async () => {
    const response = await exports.default.fetch("https://switchyard.test/health");

    const text = await response.text();
    expect(response.status).toBe(200);
    expect(healthSchema.parse(JSON.parse(text))).toEqual({
      ok: true,
      name: "switchyard",
      version,
      runnerProtocol: "runner/1",
      database: "ok",
      agentRuntime: "runner",
      agents: agentPins,
    });
    expect(text).not.toMatch(/runner-token|key-of|runner\.test|repos/);
  });

  it.each([
    ["does not answer", { prepare: () => expect.fail("D1 is away") }],
    ["has no tables", { prepare: noTables }],
  ])("is 503 when its database %s", async (_, DB) => {
    const { status, body } = await ask({ DB });

    expect(status).toBe(503);
    expect(healthSchema.parse(body)).toMatchObject({ ok: false, database: "unreachable" });
  });

  it("names the agents of the image where they work in containers", async () => {
    const told = async (agents: string[]) => {
      const CONTAINER_AGENTS = JSON.stringify(agents);
      return (await ask({ AGENT_RUNTIME: "container", CONTAINER_AGENTS })).body.agents;
    };

    expect(await told(["codex", "qwen@0.24.4"])).toEqual({
      codex: agentPins.codex,
      qwen: "0.24.4",
    });
    expect((await ask({ AGENT_RUNTIME: "container" })).body).toMatchObject({
      agentRuntime: "container",
      agents: agentPins,
    });
  });
});

function noTables(): D1PreparedStatement {
  return env.DB.prepare("select id from a_table_that_is_not_there");
}

describe("a setting with a wrong name", () => {
  it.each([
    ["CONTAINER_AGENTS", '["qwen"]', /CONTAINER_AGENTS must name "qwen" with its version/],
    ["ALLOW_UNVERIFIED_PROVIDERS", '["cursr"]', /_PROVIDERS must not name "cursr", only: .*cursor/],
    ["ALLOW_KEYS_IN_CONTAINERS", '["gemini"]', /_CONTAINERS must not name "gemini", only: copilot/],
  ] as const)("stops every request and says so: %s=%s", async (name, value, message) => {
    expect(() => readEnv({ ...(env as Env), [name]: value })).toThrow(message);
    expect(await ask({ [name]: value })).toMatchObject({
      status: 500,
      body: { error: { code: "internal", message: expect.stringMatching(message) } },
    });
  });

  it("is one that no agent has, be it of the code or of the configuration", () => {
    const named = JSON.stringify(["cursor", "gemini", "acme"]);
    const { settings } = readEnv({ ...(env as Env), ALLOW_UNVERIFIED_PROVIDERS: named });

    expect(settings.allowUnverifiedProviders).toEqual(["cursor", "gemini", "acme"]);
  });
});
