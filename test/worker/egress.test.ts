import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import { httpApp } from "../../orchestrator/worker/entrypoints/http/app.ts";
import type { Env } from "../../orchestrator/worker/env.ts";
import { answerEgress } from "../../orchestrator/worker/services/egress/answerEgress.ts";
import { egressRequestOf } from "../../shared/containers/passOn.ts";
import { newTenant } from "./world.ts";

const token = "token-of-the-run";
const key = "key/of+the=model";
const deps = {
  secrets: { find: (name: string) => (name === "MODEL_KEY" ? new Secret(key) : null) },
  ring: async () => {},
};
const toModel = (url = "https://api.example.com/v1/messages") => ({
  kind: "model" as const,
  url,
  secretName: "MODEL_KEY",
  token,
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** What arrives outside of a request from inside. */
async function sent(headers: Record<string, string>, decision = toModel()) {
  const arrived: { url: string; init: RequestInit }[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
    arrived.push({ url: String(url), init: init as RequestInit });
    return new Response("answer", { status: 302, headers: { location: "https://evil.test/" } });
  });
  const request = new Request("http://model.switchyard/v1/messages", {
    method: "POST",
    headers,
    body: "{}",
  });
  const response = await answerEgress(deps, request, decision);
  const [{ url, init } = expect.fail("nothing was sent")] = arrived;
  return { url, init, headers: new Headers(init.headers), response };
}

describe("a request to the model service", () => {
  it.each<[Record<string, string>, string, string]>([
    [{ "x-api-key": token }, "x-api-key", key],
    [{ "x-goog-api-key": token }, "x-goog-api-key", key],
    [{ authorization: `Bearer ${token}` }, "authorization", `Bearer ${key}`],
  ])("gets the key where the token stood: %o", async (given, name, expected) => {
    const { headers } = await sent(given);

    expect(headers.get(name)).toBe(expected);
    expect(JSON.stringify([...headers])).not.toContain(token);
  });

  it("gets the key in its query where the token stood there", async () => {
    const { url } = await sent({}, toModel(`https://api.example.com/v1?key=${token}&alt=sse`));

    expect(new URL(url).searchParams.get("key")).toBe(key);
  });

  it("leaves other credentials, cookies and what tells of the container behind", async () => {
    const { headers } = await sent({
      "x-api-key": token,
      authorization: "Bearer somebody-elses",
      cookie: "session=1",
      "x-forwarded-for": "172.17.0.2",
      "anthropic-version": "2023-06-01",
    });

    expect([...headers.keys()].sort()).toEqual(["anthropic-version", "content-type", "x-api-key"]);
  });

  it("is not redirected anywhere: the container is told, and asks again", async () => {
    const { init, response } = await sent({ "x-api-key": token });

    expect(init.redirect).toBe("manual");
    expect(response.status).toBe(302);
  });
});

describe("a denied request", () => {
  it("is answered without anything being sent", async () => {
    const fetching = vi.spyOn(globalThis, "fetch");
    const request = new Request("https://evil.test/", { headers: { "x-api-key": token } });

    const response = await answerEgress(deps, request, {
      kind: "denied",
      host: "evil.test",
      because: "host_not_allowed",
    });

    expect(response.status).toBe(403);
    expect(await response.text()).toContain("evil.test");
    expect(fetching).not.toHaveBeenCalled();
  });
});

describe("what is looked at of a request", () => {
  it("are its credentials, from headers and query", () => {
    const request = new Request("http://model.switchyard/v1?key=in-query", {
      headers: { authorization: "Bearer in-header", "x-api-key": "in-other" },
    });

    expect(egressRequestOf(request).credentials).toEqual(["in-header", "in-other", "in-query"]);
  });
});

describe("a provider whose key would have to go into its container", () => {
  const containers = { AGENT_RUNTIME: "container", COPILOT_GITHUB_TOKEN: "token-of-github" };
  const copilot = async (changes: object) => {
    const { token } = await newTenant();
    const headers = { authorization: `Bearer ${token}` };
    const deployed = { ...env, ...changes } as Env;
    const response = await httpApp().request("/api/v1/providers/copilot", { headers }, deployed);
    return response.json<{ available: boolean; because: string }>();
  };

  it("takes no task, and says what to do", async () => {
    expect(await copilot(containers)).toMatchObject({
      available: false,
      because: expect.stringContaining("ALLOW_KEYS_IN_CONTAINERS"),
    });
  });

  it("takes tasks where the deployment lets the key in", async () => {
    const ALLOW_KEYS_IN_CONTAINERS = '["copilot"]';

    expect(await copilot({ ...containers, ALLOW_KEYS_IN_CONTAINERS })).toMatchObject({
      available: true,
    });
  });
});
