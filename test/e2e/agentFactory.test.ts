import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestHarness } from "wrangler";
import { FakeRunner } from "../fakes/fakeRunner.ts";

const root = path.join(import.meta.dirname, "../..");
const runner = new FakeRunner();

const server = createTestHarness({
  root,
  workers: [
    {
      configPath: "apps/agent-factory/wrangler.jsonc",
      secrets: { FACTORY_TOKEN: "factory-token" },
    },
    {
      configPath: "wrangler.jsonc",
      vars: {
        LOCAL_MODE: "1",
        LOCAL_ROOTS: '["/repos"]',
        RUNNER_URL: runner.url,
        PATCH_RUNNER_URL: runner.url,
        HEARTBEAT_SECONDS: "1",
      },
      secrets: {
        RUNNER_TOKEN: runner.token,
        PATCH_RUNNER_TOKEN: runner.token,
        GEMINI_API_KEY: "key-of-gemini",
      },
    },
  ],
});

const projectId = "proj_1";

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (request.url.startsWith(runner.url)) return runner.fetch(request);
    throw new TypeError(`no route to ${request.url}`);
  });
  await server.listen();
  const orchestrator = server.getWorker("switchyard");
  await orchestrator.applyD1Migrations("DB");
  const { DB } = (await orchestrator.getEnv()) as { DB: D1Like };
  for (const organization of ["org_default", "org_other"]) {
    await DB.prepare("insert into organizations values (?, ?, 1, 0)")
      .bind(organization, organization)
      .run();
    await DB.prepare("insert into projects values (?, ?, 'sample', ?, ?, 'user:ada', 1)")
      .bind(
        organization,
        organization === "org_default" ? projectId : "proj_other",
        JSON.stringify({ kind: "local", path: "/repos/sample" }),
        JSON.stringify({ validation: [] }),
      )
      .run();
  }
});

afterAll(() => server.close());

type D1Like = {
  prepare(query: string): { bind(...values: unknown[]): { run(): Promise<unknown> } };
};

const call = (method: string, at: string, body?: unknown, headers = {}) =>
  server.fetch(`https://factory.test${at}`, {
    method,
    headers: {
      authorization: "Bearer factory-token",
      "content-type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

describe("a factory", () => {
  it("has a task done over its service bindings, as itself", async () => {
    const answer = await call("POST", "/work", {
      projectId,
      prompt: "Rename add to sum.",
      provider: "gemini",
    });
    expect(answer.status).toBe(202);
    const { task } = (await answer.json()) as { task: { id: string; createdBy: string } };
    expect(task.createdBy).toBe("factory:agent-factory");

    const done = await vi.waitFor(
      async () => {
        const shown = (await (await call("GET", `/work/${task.id}`)).json()) as { status: string };
        expect(shown.status).toBe("completed");
        return shown;
      },
      { timeout: 20_000, interval: 100 },
    );

    expect(done).toMatchObject({ provider: "gemini", outcome: { code: "delivered" } });
    const patches = await (await call("GET", "/patches")).json();
    expect(patches).toMatchObject({ patches: [{ taskId: task.id, status: "delivered" }] });
  });

  it("makes one task of one key", async () => {
    const headers = { "idempotency-key": "factory-key" };
    const body = { projectId, prompt: "Again." };
    const ids = new Set<string>();
    for (let n = 0; n < 3; n += 1) {
      const answer = await call("POST", "/work", body, headers);
      ids.add(((await answer.json()) as { task: { id: string } }).task.id);
    }
    expect(ids.size).toBe(1);
  });

  it("gets every refusal with its code", async () => {
    const codeOf = async (answer: Response) =>
      `${answer.status} ${((await answer.json()) as { error: { code: string } }).error.code}`;

    expect(await codeOf(await call("GET", "/work/task_unknown"))).toBe("404 task_not_found");
    expect(await codeOf(await call("GET", "/patches/ps_unknown/diff"))).toBe("404 patch_not_found");
    expect(await codeOf(await call("GET", "/providers/skynet"))).toBe("404 provider_not_found");
    expect(
      await codeOf(await call("POST", "/work", { projectId: "proj_other", prompt: "x" })),
    ).toBe("404 project_not_found");
    expect(await codeOf(await call("POST", "/work", { projectId, prompt: "" }))).toBe(
      "422 prompt_required",
    );
    expect(
      await codeOf(await call("POST", "/work", { projectId, prompt: "x", provider: "../" })),
    ).toBe("422 invalid_request");
  });

  it("sees why a provider can or cannot take its task", async () => {
    const answer = await call("POST", "/work", { projectId, prompt: "Look." });
    const { task } = (await answer.json()) as { task: { id: string } };

    const decision = await (await call("GET", `/work/${task.id}/providers`)).json();

    expect(decision).toMatchObject({
      kind: "assign",
      provider: "gemini",
      considered: [
        { provider: "claude-code", code: "no_credentials" },
        { provider: "gemini" },
        { provider: "codex", code: "no_credentials" },
        { provider: "copilot", code: "no_credentials" },
        { provider: "opencode", code: "no_credentials" },
        { provider: "cursor", code: "unverified" },
      ],
    });
  });

  it("answers nobody without its token", async () => {
    const answer = await call("GET", "/providers/gemini", undefined, { authorization: "Bearer x" });
    expect(answer.status).toBe(401);
  });
});
