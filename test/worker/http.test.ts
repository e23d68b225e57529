import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { agentPins } from "../../shared/agentPins.ts";
import type { TaskView } from "../../shared/contracts/task.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { codeOf } from "./envelopes.ts";
import { newTenant, newToken, withRunner } from "./world.ts";

type Tenant = Awaited<ReturnType<typeof newTenant>>;

let runner: FakeRunner;
let tenant: Tenant;
let projectId: string;

beforeEach(async () => {
  runner = withRunner();
  runner.onRun = () => {};
  tenant = await newTenant();
  projectId = await tenant.project();
});

describe("an idempotency key", () => {
  const send = (changes: object = {}, key = "key-1") =>
    tenant.call(
      "POST",
      "/api/v1/tasks",
      { projectId, prompt: "Rename add.", ...changes },
      { "idempotency-key": key },
    );

  it("gives the first answer again for the same request, byte for byte", async () => {
    const first = await send();
    const firstBody = await first.text();

    const again = await Promise.all([send(), send()]);

    expect(first.status).toBe(202);
    for (const response of again) {
      expect(response.status).toBe(202);
      expect(response.headers.get("idempotency-replayed")).toBe("true");
      expect(await response.text()).toBe(firstBody);
    }
  });

  it("makes one task of three requests that come at once", async () => {
    const answers = await Promise.all([send(), send(), send()]);
    const ids = await Promise.all(answers.map(async (r) => (await r.json<TaskView>()).id));
    expect(new Set(ids).size).toBe(1);
    const { tasks } = await (await tenant.call("GET", "/api/v1/tasks")).json<{
      tasks: unknown[];
    }>();
    expect(tasks).toHaveLength(1);
  });

  it("is refused for another request", async () => {
    await send();
    expect(await codeOf(await send({ prompt: "Other." }))).toBe("409 idempotency_conflict");
  });

  it("is another one in another organization", async () => {
    const first = await (await send()).json<TaskView>();
    const other = await newTenant();
    const response = await other.call(
      "POST",
      "/api/v1/tasks",
      { projectId: await other.project(), prompt: "Rename add." },
      { "idempotency-key": "key-1" },
    );
    expect(response.status).toBe(202);
    expect((await response.json<TaskView>()).id).not.toBe(first.id);
  });

  it("is not asked for: two requests without one are two tasks", async () => {
    const one = await tenant.submit({ projectId });
    const two = await tenant.submit({ projectId });
    expect(one.id).not.toBe(two.id);
  });
});

describe("another organization", () => {
  it("gets 404 for every task, project, patch, event stream and cancel of this one", async () => {
    const task = await tenant.submit({ projectId });
    const stranger = await newTenant();

    for (const [method, path] of [
      ["GET", `/api/v1/tasks/${task.id}`],
      ["GET", `/api/v1/tasks/${task.id}/patch`],
      ["GET", `/api/v1/tasks/${task.id}/events`],
      ["POST", `/api/v1/tasks/${task.id}/cancel`],
      ["GET", `/api/v1/projects/${projectId}`],
    ] as const)
      expect(await codeOf(await stranger.call(method, path))).toMatch(
        /^404 (task|project)_not_found/,
      );

    const body = { projectId, prompt: "Rename add." };
    expect(await codeOf(await stranger.call("POST", "/api/v1/tasks", body))).toBe(
      "404 project_not_found",
    );
    const seen = JSON.stringify([
      await (await stranger.call("GET", "/api/v1/tasks")).json(),
      await (await stranger.call("GET", "/api/v1/projects")).json(),
      await (await stranger.call("GET", "/api/v1/notices")).json(),
    ]);
    expect(seen).not.toContain(task.id);
    expect(seen).not.toContain(projectId);
  });
});

describe("a role", () => {
  it("allows what it is for and nothing more", async () => {
    const viewer = await newToken(tenant.organizationId, "viewer");
    const member = await newToken(tenant.organizationId, "member");
    const project = { name: "other", source: { kind: "local", path: "/repos/x" } };
    const token = { principal: "user:eve", role: "admin" };
    const task = { projectId, prompt: "x" };

    expect((await viewer.call("GET", "/api/v1/tasks")).status).toBe(200);
    expect(await codeOf(await viewer.call("POST", "/api/v1/tasks", task))).toBe("403 forbidden");
    expect((await member.call("POST", "/api/v1/tasks", task)).status).toBe(202);
    for (const [method, path, body] of [
      ["POST", "/api/v1/projects", project],
      ["POST", "/api/v1/tokens", token],
      ["PUT", "/api/v1/providers/gemini", {}],
    ] as const)
      expect(await codeOf(await member.call(method, path, body))).toBe("403 forbidden");
  });
});

describe("a project", () => {
  it.each([
    ["/etc", "422 source_not_allowed"],
    ["/repos/../etc", "422 source_not_allowed"],
    ["/reposx/sample", "422 source_not_allowed"],
    ["repos/sample", "422 source_not_allowed"],
  ])("cannot have the local source %s", async (path, expected) => {
    const body = { name: "bad", source: { kind: "local", path } };
    expect(await codeOf(await tenant.call("POST", "/api/v1/projects", body))).toBe(expected);
  });

  it("cannot have a source that this version delivers nothing to", async () => {
    const body = { name: "far", source: { kind: "github", repo: "owner/name" } };
    expect(await codeOf(await tenant.call("POST", "/api/v1/projects", body))).toBe(
      "422 source_not_allowed",
    );
  });

  it("has a name of its own", async () => {
    const body = { name: "twice", source: { kind: "local", path: "/repos/x" } };
    expect((await tenant.call("POST", "/api/v1/projects", body)).status).toBe(201);
    expect(await codeOf(await tenant.call("POST", "/api/v1/projects", body))).toBe(
      "409 project_exists",
    );
  });
});

describe("a list", () => {
  it("goes page by page, newest first, without a gap", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await tenant.submit({ projectId })).id);

    const seen: string[] = [];
    for (let before = ""; ; ) {
      const path = `/api/v1/tasks?limit=2${before && `&before=${before}`}`;
      const page = await (await tenant.call("GET", path)).json<{
        tasks: TaskView[];
        next: string | null;
      }>();
      seen.push(...page.tasks.map(({ id }) => id));
      if (page.next === null) break;
      before = page.next;
    }

    expect(seen).toEqual(ids);
  });

  it("refuses a limit or status that does not exist", async () => {
    expect(await codeOf(await tenant.call("GET", "/api/v1/tasks?limit=0"))).toBe(
      "422 invalid_request",
    );
    expect(await codeOf(await tenant.call("GET", "/api/v1/tasks?status=lost"))).toBe(
      "422 invalid_request",
    );
  });
});

describe("a provider", () => {
  it("is configured by an admin, and its endpoint is checked", async () => {
    const put = (body: object) => tenant.call("PUT", "/api/v1/providers/gemini", body);
    expect(await codeOf(await put({ apiEndpoint: "https://evil.example" }))).toBe(
      "422 endpoint_not_allowed",
    );
    expect(await codeOf(await put({ apiEndpoint: "http://user:pw@127.0.0.1:9" }))).toBe(
      "422 endpoint_not_allowed",
    );
    const answer = await put({ apiEndpoint: "http://127.0.0.1:9", defaultModel: "m" });
    expect(await answer.json()).toMatchObject({
      name: "gemini",
      available: true,
      apiEndpoint: "http://127.0.0.1:9",
      version: agentPins.gemini,
    });
    expect(await codeOf(await tenant.call("PUT", "/api/v1/providers/skynet", {}))).toBe(
      "404 provider_not_found",
    );
  });

  it("says why it cannot take a task", async () => {
    const { providers } = await (await tenant.call("GET", "/api/v1/providers")).json<{
      providers: { name: string; available: boolean; because: string }[];
    }>();
    expect(providers).toMatchObject([
      { name: "claude-code", available: false, because: expect.stringContaining("has no key") },
      { name: "gemini", available: true, unverified: false },
      { name: "codex", available: false, because: expect.stringContaining("CODEX_API_KEY") },
      { name: "copilot", available: false },
      { name: "opencode", available: false, because: expect.stringContaining("has no key") },
      {
        name: "cursor",
        available: false,
        unverified: true,
        because: expect.stringContaining("ALLOW_UNVERIFIED_PROVIDERS"),
      },
      { name: "acme", available: false, because: expect.stringContaining("no acme installed") },
    ]);
  });
});

describe("a long prompt", () => {
  it("is kept whole outside the row, and reaches the agent", async () => {
    const prompt = `Rename add. ${"ä".repeat(40_000)}`;
    let told = "";
    runner.onRun = (run: RunControl) => {
      told = run.request.prompt;
      run.finish();
    };
    const task = await tenant.submit({ projectId, prompt });

    await tenant.until(task.id, "completed");

    expect(told).toBe(prompt);
    expect((await tenant.show(task.id)).prompt).toBe(prompt);
  });

  it("is refused over the limit", async () => {
    const body = { projectId, prompt: "x".repeat(600_000) };
    expect(await codeOf(await tenant.call("POST", "/api/v1/tasks", body))).toBe(
      "422 invalid_request",
    );
  });
});

describe("the description of the interface", () => {
  it("names every route and comes from the schemas that check the requests", async () => {
    const response = await exports.default.fetch("https://switchyard.test/openapi.json");
    const api = await response.json<{
      openapi: string;
      paths: Record<string, object>;
      components: { schemas: Record<string, unknown> };
    }>();

    expect(api.openapi).toBe("3.1.0");
    expect(Object.keys(api.paths).sort()).toEqual([
      "/api/v1/admin/audit/verify",
      "/api/v1/admin/doctor",
      "/api/v1/dead-letters",
      "/api/v1/dead-letters/replay-all",
      "/api/v1/dead-letters/{id}/replay",
      "/api/v1/notices",
      "/api/v1/patches",
      "/api/v1/patches/{id}",
      "/api/v1/patches/{id}/approve",
      "/api/v1/patches/{id}/check",
      "/api/v1/patches/{id}/diff",
      "/api/v1/patches/{id}/files",
      "/api/v1/patches/{id}/reject",
      "/api/v1/patches/{id}/revert",
      "/api/v1/patches/{id}/validation/{command}/output",
      "/api/v1/projects",
      "/api/v1/projects/{id}",
      "/api/v1/providers",
      "/api/v1/providers/{name}",
      "/api/v1/tasks",
      "/api/v1/tasks/{id}",
      "/api/v1/tasks/{id}/cancel",
      "/api/v1/tasks/{id}/events",
      "/api/v1/tasks/{id}/patch",
      "/api/v1/tokens",
      "/health",
    ]);
    expect(Object.keys(api.components.schemas)).toEqual(
      expect.arrayContaining(["Task", "TaskDetail", "CreateTask", "PatchSet", "AIPatch", "Error"]),
    );
  });
});
