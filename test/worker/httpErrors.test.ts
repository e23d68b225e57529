import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { codeOf, type Envelope } from "./envelopes.ts";
import { newTenant, withRunner } from "./world.ts";

let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

describe("every failure has one envelope", () => {
  const raw = (path: string, init: RequestInit = {}) =>
    exports.default.fetch(`https://switchyard.test${path}`, {
      ...init,
      headers: { authorization: `Bearer ${tenant.token}`, ...init.headers },
    });
  const post = (body: BodyInit | null, type = "application/json") =>
    raw("/api/v1/tasks", { method: "POST", body, headers: { "content-type": type } });

  it("for a body that is not JSON", async () => {
    expect(await codeOf(await post("{ nope"))).toBe("400 malformed_json");
  });

  it("for a content type that is not JSON", async () => {
    expect(await codeOf(await post("prompt=x", "application/x-www-form-urlencoded"))).toBe(
      "415 unsupported_media_type",
    );
  });

  it("for an unknown route", async () => {
    expect(await codeOf(await raw("/api/v1/nothing"))).toBe("404 route_not_found");
    expect(await codeOf(await raw("/api/v1/tasks", { method: "DELETE" }))).toBe(
      "404 route_not_found",
    );
  });

  it("for a body over 1 MB, also when its length is not said", async () => {
    const prompt = "x".repeat(5_000_000);
    expect(await codeOf(await post(JSON.stringify({ projectId, prompt })))).toBe(
      "413 body_too_large",
    );
    const stream = new Blob([JSON.stringify({ projectId, prompt })]).stream();
    expect(await codeOf(await post(stream))).toBe("413 body_too_large");
  });

  it("for a missing, malformed or unknown token", async () => {
    for (const authorization of ["", "Basic x", "Bearer nonsense", "Bearer swy_unknown"])
      expect(await codeOf(await raw("/api/v1/tasks", { headers: { authorization } }))).toBe(
        "401 unauthenticated",
      );
  });

  it("for an empty body", async () => {
    expect(await codeOf(await post(null))).toMatch(/^4(00|22) /);
  });
});

describe("a request that does not fit", () => {
  const submit = async (changes: object) => {
    const body = { projectId, prompt: "Rename add.", ...changes };
    return tenant.call("POST", "/api/v1/tasks", body);
  };

  it.each([
    ["422 prompt_required", { prompt: undefined }],
    ["422 prompt_required", { prompt: "  \n " }],
    ["422 unknown_provider", { provider: "skynet" }],
    ["422 invalid_request", { provider: "../x" }],
    ["422 invalid_request", { branch: "-x" }],
    ["422 invalid_request", { branch: "../main" }],
    ["422 invalid_request", { branch: "a b" }],
    ["422 invalid_request", { branch: "refs/heads/../x" }],
    ["422 invalid_request", { commit: "main" }],
    ["422 invalid_request", { orderId: "ORD-../x" }],
    ["422 invalid_request", { surprise: 1 }],
    ["422 invalid_timeout", { limits: { wallClockSeconds: 0 } }],
    ["422 invalid_timeout", { limits: { silenceSeconds: 86_401 } }],
    ["422 callback_not_allowed", { callbackUrl: "https://example.com/hook" }],
    ["404 project_not_found", { projectId: "proj_unknown" }],
  ])("answers %s to %j", async (expected, changes) => {
    expect(await codeOf(await submit(changes))).toBe(expected);
  });

  it("is told every fault with its path", async () => {
    const response = await submit({ branch: "-x", model: "" });
    const { error } = await response.json<Envelope>();
    expect(error.details).toMatchObject([{ path: "branch" }, { path: "model" }]);
  });

  it("is not taken as JSON with hidden fields", async () => {
    const body = `{"projectId":"${projectId}","prompt":"x","__proto__":{"role":"admin"}}`;
    const response = await exports.default.fetch("https://switchyard.test/api/v1/tasks", {
      method: "POST",
      headers: { authorization: `Bearer ${tenant.token}`, "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(422);
  });
});
