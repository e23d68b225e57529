import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentNames, agentRegistry } from "../../apps/agent-runner/agents/registry.ts";
import { agentEventSchema } from "../../shared/contracts/agentEvent.ts";
import { outline, replay, type Transcript, transcriptsOf } from "./kit/transcripts.ts";

describe.each(agentNames)("transcripts of %s", (agent) => {
  const adapter = agentRegistry[agent];
  const transcripts = transcriptsOf(agent);

  it("exist", () => {
    expect(transcripts.length).toBeGreaterThan(20);
  });

  it.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
    "%s gives the events and facts that were reviewed",
    async (_, transcript) => {
      const { events, facts } = replay(adapter, transcript);

      for (const event of events) agentEventSchema.parse(event);
      const reviewed = JSON.stringify(
        { facts: outline(facts), events: events.map(outline) },
        null,
        2,
      );
      await expect(`${reviewed}\n`).toMatchFileSnapshot(join(transcript.folder, "expected.json"));
    },
  );

  it("give the same events however the output is cut into chunks", () => {
    const short = transcripts.filter(({ stdout }) => stdout.length < 60_000);
    const wholes = new Map(short.map((one) => [one.name, replay(adapter, one).events]));
    fc.assert(
      fc.property(fc.constantFrom(...short), fc.array(fc.nat(), { maxLength: 40 }), (one, cuts) => {
        expect(replay(adapter, one, cuts).events).toEqual(wholes.get(one.name));
      }),
      { numRuns: 300 },
    );
  });
});

/** How each run ended, read from the recordings by hand. */
const endings = {
  "claude-code": {
    edit: ["completed", true, 4, 0, null, null],
    "no-permission": ["completed", true, 4, 3, null, null],
    outside: ["completed", true, 1, 1, null, null],
    "error-401-retries0": ["api_error", false, 0, 0, "auth", 401],
    "error-403": ["api_error", false, 0, 0, "forbidden", 403],
    "error-400": ["api_error", false, 0, 0, "invalid_request", 400],
    "error-429-retries1": ["api_error", false, 0, 0, "rate_limit", 429],
    "error-quota-retries1": ["api_error", false, 0, 0, "quota", 429],
    "error-529-retries1": ["api_error", false, 0, 0, "overloaded", 529],
    "error-401": [null, null, 0, 0, null, null],
    "no-key": ["api_error", false, 0, 0, "auth", null],
    "resume-missing": ["error_during_execution", false, 0, 0, "invalid_request", null],
    "tool-sigint": ["aborted_tools", false, 1, 0, "cancelled", null],
    "tool-sigterm": [null, null, 1, 0, null, null],
    "root-refused": [null, null, 0, 0, "unknown", null],
    "bad-tool": ["completed", true, 1, 0, null, null],
  },
  gemini: {
    edit: ["success", true, 4, 0, null, null],
    "no-permission": ["success", true, 3, 3, null, null],
    outside: ["success", true, 1, 1, null, null],
    "error-401": ["unknown", false, 0, 0, "auth", 401],
    "error-403": ["unknown", false, 0, 0, "forbidden", 403],
    "error-400": ["unknown", false, 0, 0, "invalid_request", 400],
    "error-quota": ["unknown", false, 0, 0, "quota", null],
    "error-429-limit50": [null, null, 0, 0, "rate_limit", null],
    long: ["loop_detected", false, 0, 0, "unknown", null],
    "no-key": [null, null, 0, 0, "auth", null],
    "resume-missing": [null, null, 0, 0, "invalid_request", null],
    "edit-untrusted": [null, null, 0, 0, "permission", null],
    "hang-sigterm-norelaunch": [null, null, 0, 0, null, null],
    "tool-sigint-norelaunch": [null, null, 1, 0, null, null],
  },
} as const;

describe.each(agentNames)("a run of %s", (agent) => {
  const cases = Object.entries(endings[agent]) as [string, readonly unknown[]][];

  it.each(cases)("that was %s ended as it should", (name, expected) => {
    const transcript = transcriptsOf(agent).find((one) => one.name === name) as Transcript;

    const { facts } = replay(agentRegistry[agent], transcript);

    const { terminal, toolCalls, deniedToolCalls, error } = facts;
    const ending = [terminal?.reason ?? null, terminal?.ok ?? null, toolCalls, deniedToolCalls];
    expect([...ending, error?.kind ?? null, error?.status ?? null]).toEqual(expected);
  });
});

describe("the usage of a run", () => {
  const usageOf = (agent: "claude-code" | "gemini", name: string) => {
    const transcript = transcriptsOf(agent).find((one) => one.name === name) as Transcript;
    return replay(agentRegistry[agent], transcript).facts.usage;
  };

  it("of Claude Code counts cached input as input", () => {
    expect(usageOf("claude-code", "edit")).toEqual({
      inputTokens: 6000,
      cachedInputTokens: 1000,
      cacheWriteTokens: 0,
      outputTokens: 250,
      reasoningTokens: 0,
      costMicroUsd: 19_050,
    });
  });

  it("of a resumed Claude Code session is of this run alone", () => {
    expect(usageOf("claude-code", "resume-2")).toEqual(usageOf("claude-code", "resume-1"));
  });

  it("of Gemini counts thoughts as output and has no price", () => {
    expect(usageOf("gemini", "edit")).toEqual({
      inputTokens: 5000,
      cachedInputTokens: 1000,
      cacheWriteTokens: 0,
      outputTokens: 300,
      reasoningTokens: 50,
      costMicroUsd: null,
    });
  });
});
