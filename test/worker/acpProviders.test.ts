import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Env, readEnv } from "../../orchestrator/worker/env.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { codeOf } from "./envelopes.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

beforeEach(async () => {
  runner = withRunner();
  runner.agents = { acme: { version: "7.0.0" } };
  tenant = await newTenant();
});

const final = ["completed", "failed", "cancelled", "escalated"];

describe("an agent by configuration", () => {
  it("is a provider like any other", async () => {
    const shown = await tenant.call("GET", "/api/v1/providers/acme");

    expect(await shown.json()).toMatchObject({
      name: "acme",
      available: true,
      because: "Acme 7.0.0 is installed and has a key",
      capabilities: { resume: false, cancel: "confirmed" },
    });
  });

  it("gets a task, with its key under the name that it reads", async () => {
    let request: RunControl["request"] | undefined;
    runner.onRun = (run) => {
      request = run.request;
      run.finish();
    };
    const { id } = await tenant.submit({ projectId: await tenant.project(), provider: "acme" });

    const task = await tenant.until(id, ...final);

    expect(task).toMatchObject({ status: "completed", provider: "acme" });
    expect(request).toMatchObject({ agent: "acme", secrets: { ACME_API_KEY: "key-of-acme" } });
  });

  it("is configured for an organization like the others", async () => {
    const config = { enabled: false, defaultModel: "m7" };

    const put = await tenant.call("PUT", "/api/v1/providers/acme", config);

    expect(await put.json()).toMatchObject({ name: "acme", available: false, defaultModel: "m7" });
  });

  it.each(["skynet", "constructor", "to-string"])(
    "is not there by the name of %s",
    async (name) => {
      expect(await codeOf(await tenant.call("GET", `/api/v1/providers/${name}`))).toBe(
        "404 provider_not_found",
      );
      const projectId = await tenant.project();
      const task = await tenant.call("POST", "/api/v1/tasks", {
        projectId,
        prompt: "x",
        provider: name,
      });
      expect(await codeOf(task)).toContain("unknown_provider");
    },
  );
});

describe("the variable ACP_AGENTS", () => {
  const agent = { id: "mine", title: "Mine", secretNames: ["MINE"], credentialVariable: "MINE" };
  const read = (value: unknown) => () =>
    readEnv({
      ...env,
      ACP_AGENTS: typeof value === "string" ? value : JSON.stringify(value),
    } as Env);

  it.each([
    ["no JSON", "{"],
    ["no list", {}],
    ["two of one name", [agent, agent]],
    ["a name of another form", [{ ...agent, id: "Mine!" }]],
    ["no secret", [{ ...agent, secretNames: [] }]],
    ["a secret of the platform", [{ ...agent, secretNames: ["RUNNER_TOKEN"] }]],
  ])("with %s stops every request with its name", (_, value) => {
    expect(read(value)).toThrow("ACP_AGENTS");
  });

  it("with the name of an agent that is there already stops every request", async () => {
    expect(read([{ ...agent, id: "gemini" }])).toThrow("gemini");
    expect(read([{ ...agent, id: "switchyard" }])).toThrow("switchyard");
  });

  it("may hold all that the runner's file has", () => {
    const { acpAgents } = read([{ ...agent, argv: ["mine"], resume: "fresh" }])();

    expect(acpAgents).toEqual([{ ...agent, resume: true }]);
  });
});
