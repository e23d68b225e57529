import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replayAcp, replayServe } from "../../scripts/transcripts/replayConversation.ts";
import { agentEventSchema } from "../../shared/contracts/agentEvent.ts";
import { type SessionTranscript, sessionTranscriptsOf } from "./kit/sessionTranscripts.ts";
import { outline } from "./kit/transcripts.ts";

const named = (transcript: SessionTranscript) => [transcript.name, transcript] as const;

const kinds = [
  ["acp", "traffic.jsonl", replayAcp, 60],
  ["opencode", "events.sse", replayServe, 5],
] as const;

describe.each(kinds)("transcripts of %s", (agent, file, replay, least) => {
  const transcripts = sessionTranscriptsOf(agent, file);

  it("exist", () => {
    expect(transcripts.length).toBeGreaterThan(least);
  });

  it.each(transcripts.map(named))(
    "%s gives the events and facts that were reviewed",
    async (_, transcript) => {
      const { events, facts } = await replay(transcript);

      for (const event of events) agentEventSchema.parse(event);
      const reviewed = { facts: outline(facts), events: events.map(outline) };
      await expect(`${JSON.stringify(reviewed, null, 2)}\n`).toMatchFileSnapshot(
        join(transcript.folder, "expected.json"),
      );
    },
  );
});

/** How these ended, read from the recordings by hand: reason, ok, tool calls, denied ones, error. */
const endings = {
  "claude.edit": ["end_turn", true, 4, 0, null, null],
  "claude.air-429": ["end_turn", false, 0, 0, "rate_limit", 429],
  "claude.error-429-retries1": ["error", false, 0, 0, "rate_limit", 429],
  "claude.maxturns": ["error", false, 3, 0, "turn_limit", null],
  "claude.reject": ["end_turn", true, 4, 3, null, null],
  "claude.kill-tool": ["cancelled", false, 1, 0, "cancelled", null],
  "codex.edit": ["end_turn", true, 3, 0, null, null],
  "codex.error-401": ["error", false, 0, 0, "auth", null],
  "codex.error-429": ["end_turn", false, 0, 0, "rate_limit", 429],
  "codex.error-500": ["end_turn", false, 0, 0, "overloaded", null],
  "copilot.edit": ["end_turn", true, 4, 0, null, null],
  "copilot.error-401": ["end_turn", false, 0, 0, "auth", 401],
  "copilot.error-429": ["end_turn", false, 0, 0, "rate_limit", 429],
  "copilot.error-500": ["end_turn", false, 0, 0, "overloaded", 500],
  "copilot.reject": ["end_turn", true, 2, 1, null, null],
  "gemini.edit": ["end_turn", true, 4, 0, null, null],
  "gemini.error-401": ["error", false, 0, 0, "auth", 401],
  "gemini.reject": ["end_turn", true, 4, 3, null, null],
  "gemini.load": ["end_turn", true, 0, 0, null, null],
  "opencode.edit": ["end_turn", true, 4, 0, null, null],
  "opencode.error-401": ["error", false, 0, 0, "auth", null],
  "opencode.error-429": ["error", false, 0, 0, "rate_limit", null],
  "opencode.load-missing": ["session/resume", false, 0, 0, "invalid_request", null],
} as const;

describe("a recorded conversation", () => {
  const all = sessionTranscriptsOf("acp", "traffic.jsonl");

  it.each(Object.entries(endings))("%s ended as it should", async (name, expected) => {
    const transcript = all.find((one) => one.name === name) as SessionTranscript;

    const { terminal, toolCalls, deniedToolCalls, error } = (await replayAcp(transcript)).facts;

    const ending = [terminal?.reason ?? null, terminal?.ok ?? null, toolCalls, deniedToolCalls];
    expect([...ending, error?.kind ?? null, error?.status ?? null]).toEqual(expected);
  });

  it.each(all.filter(({ name }) => /error|air|kill|hang|maxturns|missing/.test(name)).map(named))(
    "%s that failed or was ended is no success",
    async (_, transcript) => {
      const { facts } = await replayAcp(transcript);

      expect(facts.terminal?.ok ?? false).toBe(false);
    },
  );
});

describe("the events of a server", () => {
  it("are the same however they are cut into chunks", async () => {
    const all = sessionTranscriptsOf("opencode", "events.sse");
    const wholes = new Map(
      await Promise.all(
        all.map(async (one) => [one.name, (await replayServe(one)).events] as const),
      ),
    );
    const cuts = fc.array(fc.nat(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all), cuts, async (one, at) => {
        expect((await replayServe(one, at)).events).toEqual(wholes.get(one.name));
      }),
      { numRuns: 100 },
    );
  });
});
