import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { registry } from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { type Candidate, route } from "../../orchestrator/worker/services/ai-providers/router.ts";

const claude: Candidate = {
  name: "claude-code",
  definition: registry["claude-code"],
  allowed: true,
  config: null,
  credential: "ANTHROPIC_API_KEY",
  keyPlace: null,
  availability: { kind: "available", version: "2.1.329" },
};
const gemini: Candidate = {
  ...claude,
  name: "gemini",
  definition: registry.gemini,
  credential: "GEMINI_API_KEY",
};
const ask = {
  sourceKind: "local" as const,
  override: null,
  allowFallback: false,
  preference: null,
  exhausted: [],
};

describe("routing", () => {
  it("takes the first provider that can, when nothing else decides", () => {
    expect(route(ask, [claude, gemini])).toMatchObject({ kind: "assign", provider: "claude-code" });
  });

  it("takes the one that the task asks for", () => {
    expect(route({ ...ask, override: "gemini" }, [claude, gemini])).toMatchObject({
      provider: "gemini",
      because: "the task asks for it",
      considered: [{ provider: "claude-code", code: "not_preferred" }, { provider: "gemini" }],
    });
  });

  it("takes the one that the project prefers, if it can, else another", () => {
    const preference = "gemini";
    expect(route({ ...ask, preference }, [claude, gemini])).toMatchObject({ provider: "gemini" });
    const without = { ...gemini, credential: null };
    expect(route({ ...ask, preference }, [claude, without])).toMatchObject({
      provider: "claude-code",
    });
  });

  it("takes another than the one whose changes could not be delivered, if another one can", () => {
    const again = { ...ask, override: "gemini", allowFallback: true, exhausted: ["gemini"] };

    expect(route(again, [gemini, claude])).toMatchObject({
      provider: "claude-code",
      because:
        "it is the first provider that can take the task, in place of gemini, whose changes could not be delivered",
    });
    const alone = [gemini, { ...claude, credential: null }];
    expect(route(again, alone)).toMatchObject({ provider: "gemini" });
    const bound = { ...again, allowFallback: false };
    expect(route(bound, [gemini, claude])).toMatchObject({ provider: "gemini" });
  });

  it.each([
    ["no_credentials", { credential: null }, false],
    ["key_not_allowed", { keyPlace: { kind: "refused", because: "it would go in" } }, false],
    [
      "runner_unreachable",
      { availability: { kind: "unavailable", code: "runner_unreachable", because: "down" } },
      true,
    ],
    [
      "agent_not_installed",
      { availability: { kind: "unavailable", code: "agent_not_installed", because: "none" } },
      false,
    ],
  ] as const)("refuses with %s and says whether waiting helps", (code, changes, transient) => {
    const decision = route(ask, [{ ...gemini, ...changes }]);
    expect(decision).toMatchObject({
      kind: "none",
      transient,
      considered: [{ provider: "gemini", eligible: false, code, transient }],
    });
  });

  it("refuses an unverified provider until the deployment names it", () => {
    const cursor = { ...claude, name: "cursor", definition: registry.cursor };
    const refused = { ...cursor, allowed: false };

    expect(route({ ...ask, override: "cursor" }, [claude, refused])).toMatchObject({
      kind: "none",
      because: expect.stringContaining("ALLOW_UNVERIFIED_PROVIDERS"),
      transient: false,
    });
    expect(route(ask, [refused, claude])).toMatchObject({
      provider: "claude-code",
      considered: [{ provider: "cursor", eligible: false, code: "unverified" }, {}],
    });
    expect(route(ask, [cursor])).toMatchObject({ kind: "assign", provider: "cursor" });
  });

  it("names the key of the service that a provider is pointed at", () => {
    const config = {
      enabled: true,
      apiEndpoint: "https://gateway.example.com/v1",
      defaultModel: null,
      rateLimits: {},
      costPerToken: {},
    };
    const copilot = { ...claude, name: "copilot", definition: registry.copilot, credential: null };

    expect(route(ask, [copilot])).toMatchObject({
      because: "copilot has no key: set the secret COPILOT_GITHUB_TOKEN",
    });
    expect(route(ask, [{ ...copilot, config }])).toMatchObject({
      because: "copilot has no key: set the secret COPILOT_PROVIDER_API_KEY",
    });
  });

  it("refuses a provider that is switched off, and a source that it cannot work on", () => {
    const config = {
      enabled: false,
      apiEndpoint: null,
      defaultModel: null,
      rateLimits: {},
      costPerToken: {},
    };
    expect(route(ask, [{ ...gemini, config }])).toMatchObject({
      considered: [{ code: "disabled" }],
    });
    expect(route({ ...ask, sourceKind: "github" }, [gemini])).toMatchObject({
      considered: [{ code: "source_unsupported" }],
    });
  });

  it("never replaces an override behind the caller's back, and tells of every candidate", () => {
    const candidate = (base: Candidate) =>
      fc.record({ key: fc.boolean(), there: fc.boolean() }).map(
        ({ key, there }): Candidate => ({
          ...base,
          credential: key ? base.credential : null,
          availability: there
            ? base.availability
            : { kind: "unavailable", code: "runner_unreachable", because: "down" },
        }),
      );
    fc.assert(
      fc.property(
        candidate(claude),
        candidate(gemini),
        fc.constantFrom(null, "claude-code", "gemini"),
        fc.boolean(),
        (first, second, override, allowFallback) => {
          const decision = route({ ...ask, override, allowFallback }, [first, second]);
          expect(decision.considered.map(({ provider }) => provider)).toEqual([
            "claude-code",
            "gemini",
          ]);
          for (const { because } of decision.considered) expect(because).not.toBe("");
          expect(decision.because).not.toBe("");
          if (decision.kind === "none") return;
          if (override !== null && !allowFallback) expect(decision.provider).toBe(override);
          const chosen = [first, second].find(({ name }) => name === decision.provider);
          expect(chosen).toMatchObject({ availability: { kind: "available" } });
          expect(chosen?.credential).not.toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });
});
