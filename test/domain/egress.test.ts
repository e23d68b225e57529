import { describe, expect, it } from "vitest";
import { type EgressPlan, judgeEgress } from "../../shared/containers/egressRules.ts";

const plan: EgressPlan = {
  token: "the-token",
  model: { baseUrl: "https://api.example.com/base/", secretName: "MODEL_KEY" },
  allowedHosts: ["registry.example.com", "*.cdn.example.com"],
};
const judge = (url: string, more: object = {}) =>
  judgeEgress(plan, { method: "POST", url, credentials: ["the-token"], ...more });

describe("a request that leaves a container", () => {
  it("goes to the model service with the token of its run", () => {
    expect(judge("http://model.switchyard/v1/messages?beta=true")).toEqual({
      kind: "model",
      url: "https://api.example.com/base/v1/messages?beta=true",
      secretName: "MODEL_KEY",
      token: "the-token",
    });
  });

  it.each([
    ["no token", { credentials: [] }, "wrong_token"],
    ["the token of another run", { credentials: ["another"] }, "wrong_token"],
    ["a method that no model service has", { method: "DELETE" }, "method_not_allowed"],
  ])("with %s is denied", (_, more, because) => {
    expect(judge("http://model.switchyard/v1/messages", more)).toEqual({
      kind: "denied",
      host: "model.switchyard",
      because,
    });
  });

  it("goes to no model service where the key is inside: only to its hosts", () => {
    const inside = { ...plan, model: null, allowedHosts: ["api.github.com"] };
    const ask = (url: string) =>
      judgeEgress(inside, { method: "POST", url, credentials: ["the-token"] });

    expect(ask("http://model.switchyard/v1/messages")).toMatchObject({
      kind: "denied",
      because: "host_not_allowed",
    });
    expect(ask("https://api.github.com/copilot_internal/v2/token")).toEqual({ kind: "allowed" });
    expect(ask("https://api.example.com/")).toMatchObject({ kind: "denied" });
  });

  it("cannot climb above the base of the model service", () => {
    expect(judge("http://model.switchyard/../../%2e%2e/admin")).toMatchObject({
      url: "https://api.example.com/base/admin",
    });
  });

  it.each([
    "https://registry.example.com/zod",
    "https://REGISTRY.example.com./zod",
    "https://a.cdn.example.com/x",
  ])("to a host of the allow-list passes: %s", (url) => {
    expect(judge(url)).toEqual({ kind: "allowed" });
  });

  it.each([
    "https://example.com/",
    "https://evil.registry.example.com/",
    "https://registry.example.com.evil.test/",
    "https://cdn.example.com/",
    "https://evilcdn.example.com/",
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://localhost/",
    "https://registry.example.com@evil.test/",
  ])("anywhere else is denied: %s", (url) => {
    expect(judge(url)).toMatchObject({ kind: "denied", because: "host_not_allowed" });
  });

  it("is denied once its run is over, whatever it asks for", () => {
    for (const url of ["http://model.switchyard/", "https://registry.example.com/"])
      expect(judgeEgress(null, { method: "POST", url, credentials: ["the-token"] })).toMatchObject({
        kind: "denied",
        because: "run_is_over",
      });
  });

  it("may ring, and only ring", () => {
    expect(judge("http://doorbell.switchyard/x")).toEqual({ kind: "doorbell" });
    expect(judge("http://doorbell.switchyard/x", { method: "GET" })).toMatchObject({
      kind: "denied",
    });
  });
});
