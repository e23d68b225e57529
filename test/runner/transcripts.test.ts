import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replayRecording } from "../../apps/agent-runner/agent-run/replayRecording.ts";
import {
  agentRegistry,
  type LineAgentName,
  lineAgentNames,
} from "../../apps/agent-runner/agents/registry.ts";
import { agentEventSchema } from "../../shared/contracts/agentEvent.ts";
import { outline, type Transcript, transcriptsOf } from "./kit/transcripts.ts";

/** Nobody could record these: what is replayed was written by hand after their documentation. */
const unrecorded: ReadonlySet<LineAgentName> = new Set(["cursor"]);

describe.each(lineAgentNames)("transcripts of %s", (agent) => {
  const adapter = agentRegistry[agent];
  const transcripts = transcriptsOf(agent);

  it("exist", () => {
    expect(transcripts.length).toBeGreaterThan(unrecorded.has(agent) ? 0 : 20);
  });

  it.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
    "%s gives the events and facts that were reviewed",
    async (_, transcript) => {
      const { events, facts } = await replayRecording(adapter, transcript);

      for (const event of events) agentEventSchema.parse(event);
      const reviewed = JSON.stringify(
        { facts: outline(facts), events: events.map(outline) },
        null,
        2,
      );
      await expect(`${reviewed}\n`).toMatchFileSnapshot(join(transcript.folder, "expected.json"));
    },
  );

  it("give the same events however the output is cut into chunks", async () => {
    const short = transcripts.filter(({ stdout }) => stdout.length < 60_000);
    const whole = async (one: Transcript) =>
      [one.name, (await replayRecording(adapter, one)).events] as const;
    const wholes = new Map(await Promise.all(short.map(whole)));
    const anyCuts = fc.array(fc.nat(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...short), anyCuts, async (one, cuts) => {
        const { events } = await replayRecording(adapter, one, cuts);
        expect(events).toEqual(wholes.get(one.name));
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
  codex: {
    edit: ["completed", true, 3, 0, null, null],
    "edit-default-readonly": ["completed", true, 2, 1, null, null],
    "bad-tool": ["completed", true, 0, 0, null, null],
    "error-401": ["turn_failed", false, 0, 0, "auth", 401],
    "error-403": ["turn_failed", false, 0, 0, "forbidden", null],
    "error-403-logged": ["turn_failed", false, 0, 0, "forbidden", 403],
    "error-400": ["turn_failed", false, 0, 0, "invalid_request", null],
    "error-429": ["turn_failed", false, 0, 0, "rate_limit", 429],
    "error-quota": ["turn_failed", false, 0, 0, "quota", null],
    "error-500": ["turn_failed", false, 0, 0, "overloaded", null],
    "error-529": ["turn_failed", false, 0, 0, "overloaded", 529],
    "hang-idle-timeout5s": ["turn_failed", false, 0, 0, "timeout", null],
    "openai-env-only": [null, null, 0, 0, null, null],
    "openai-base-url-config": ["completed", true, 0, 0, null, null],
    "no-key": ["turn_failed", false, 0, 0, "auth", null],
    "resume-missing": [null, null, 0, 0, "invalid_request", null],
    "hang-sigint": [null, null, 0, 0, null, null],
    "tool-sigint": [null, null, 1, 0, null, null],
    "tool-sigterm": [null, null, 1, 0, null, null],
  },
  gemini: {
    edit: ["success", true, 4, 0, null, null],
    "no-permission": ["success", true, 3, 3, null, null],
    outside: ["success", true, 1, 1, null, null],
    "error-401": ["unknown", false, 0, 0, "auth", 401],
    "error-403": ["unknown", false, 0, 0, "forbidden", 403],
    "error-400": ["unknown", false, 0, 0, "invalid_request", 400],
    "error-quota": ["unknown", false, 0, 0, "quota", 429],
    "error-429-limit50": [null, null, 0, 0, "rate_limit", null],
    "error-429-attempts3": ["unknown", false, 0, 0, "rate_limit", 429],
    long: ["loop_detected", false, 0, 0, "unknown", null],
    "no-key": [null, null, 0, 0, "auth", null],
    "resume-missing": [null, null, 0, 0, "invalid_request", null],
    "edit-untrusted": [null, null, 0, 0, "permission", null],
    "hang-sigterm-norelaunch": [null, null, 0, 0, null, null],
    "tool-sigint-norelaunch": [null, null, 1, 0, null, null],
  },
  copilot: {
    edit: ["completed", true, 3, 0, null, null],
    "edit-anthropic": ["completed", true, 4, 0, null, null],
    "no-permission": ["completed", true, 3, 2, null, null],
    "bad-tool": ["completed", true, 1, 0, null, null],
    "error-401": ["error", false, 0, 0, "auth", 401],
    "error-403": ["error", false, 0, 0, "forbidden", 403],
    "error-400": ["error", false, 0, 0, "invalid_request", 400],
    "error-429-limit50": ["error", false, 0, 0, "rate_limit", 429],
    "error-500-limit50": ["error", false, 0, 0, "overloaded", 500],
    "error-quota": ["quota", false, 0, 0, "quota", 429],
    "no-auth": [null, null, 0, 0, "auth", null],
    "resume-missing": [null, null, 0, 0, "invalid_request", null],
    "hang-sigint-direct": ["aborted", false, 0, 0, "cancelled", null],
    "hang-sigterm": [null, null, 0, 0, null, null],
    "tool-sigterm": [null, null, 1, 0, null, null],
    "tool-sigterm-direct": [null, null, 1, 0, null, null],
  },
  cursor: {
    "documented-shape": ["success", true, 2, 0, null, null],
  },
} as const;

describe.each(lineAgentNames)("a run of %s", (agent) => {
  const cases = Object.entries(endings[agent]) as [string, readonly unknown[]][];

  it.each(cases)("that was %s ended as it should", async (name, expected) => {
    const transcript = transcriptsOf(agent).find((one) => one.name === name) as Transcript;

    const { facts } = await replayRecording(agentRegistry[agent], transcript);

    const { terminal, toolCalls, deniedToolCalls, error } = facts;
    const ending = [terminal?.reason ?? null, terminal?.ok ?? null, toolCalls, deniedToolCalls];
    expect([...ending, error?.kind ?? null, error?.status ?? null]).toEqual(expected);
  });
});

describe("the usage of a run", () => {
  const usageOf = async (agent: LineAgentName, name: string) => {
    const transcript = transcriptsOf(agent).find((one) => one.name === name) as Transcript;
    return (await replayRecording(agentRegistry[agent], transcript)).facts.usage;
  };

  it("of Claude Code counts cached input as input", async () => {
    expect(await usageOf("claude-code", "edit")).toEqual({
      inputTokens: 6000,
      cachedInputTokens: 1000,
      cacheWriteTokens: 0,
      outputTokens: 250,
      reasoningTokens: 0,
      costMicroUsd: 19_050,
    });
  });

  it("of a resumed Claude Code session is of this run alone", async () => {
    expect(await usageOf("claude-code", "resume-2")).toEqual(
      await usageOf("claude-code", "resume-1"),
    );
  });

  it("of Gemini counts thoughts as output and has no price", async () => {
    expect(await usageOf("gemini", "edit")).toEqual({
      inputTokens: 5000,
      cachedInputTokens: 1000,
      cacheWriteTokens: 0,
      outputTokens: 300,
      reasoningTokens: 50,
      costMicroUsd: null,
    });
  });

  it("of Codex counts cached input and reasoning once", async () => {
    expect(await usageOf("codex", "edit")).toEqual({
      inputTokens: 4000,
      cachedInputTokens: 800,
      cacheWriteTokens: 0,
      outputTokens: 200,
      reasoningTokens: 40,
      costMicroUsd: null,
    });
  });

  it("of a resumed Codex session leaves out what its file says was used before", async () => {
    expect(await usageOf("codex", "resume-known")).toEqual(await usageOf("codex", "resume-1"));
  });

  it("of Copilot is read from its file", async () => {
    expect(await usageOf("copilot", "plain-usage")).toEqual({
      inputTokens: 1000,
      cachedInputTokens: 200,
      cacheWriteTokens: 0,
      outputTokens: 50,
      reasoningTokens: 10,
      costMicroUsd: null,
    });
  });

  it("of a resumed Codex session without its file is unknown", async () => {
    expect(await usageOf("codex", "resume-2")).toBe(null);
  });
});
