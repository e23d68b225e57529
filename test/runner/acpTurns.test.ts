import { describe, expect, it } from "vitest";
import { type AcpChoice, ofType, runFake } from "./kit/fakeAcp.ts";
import { makeRepository } from "./kit/repositories.ts";

const run = (script: string, more: AcpChoice = {}) =>
  runFake(makeRepository({ "a.txt": "one\n" }), script, more);

describe("a turn that ends well and did not", () => {
  const ends = (script: string) => `fake.on["session/prompt"] = () => { ${script} };`;
  it.each([
    [
      "its last words are an error",
      `fake.say("Info: again"); fake.say("Error: Authentication failed (HTTP 401)."); return { stopReason: "end_turn" };`,
      "auth",
      401,
    ],
    [
      "it says that it has no figures",
      `fake.say("exceeded retry limit, last status: 429 Too Many Requests"); return { stopReason: "end_turn", usage: null };`,
      "rate_limit",
      429,
    ],
    [
      "no answer was counted",
      `fake.say("We are experiencing high demand"); return { stopReason: "end_turn", usage: { outputTokens: 0 } };`,
      "overloaded",
      null,
    ],
    ["it said nothing", `return { stopReason: "end_turn" };`, "unknown", null],
    [
      "a tell is in the answer",
      `fake.say("x"); return { stopReason: "end_turn", _meta: { jetbrains: { air: { sessionFailure: { category: "limit", severity: "error", title: "status: 429" } } } } };`,
      "rate_limit",
      429,
    ],
    [
      "a tell was in an update",
      `fake.update({ sessionUpdate: "session_info_update", _meta: { codex: { threadStatus: { type: "systemError" } } } }); fake.say("x"); return { stopReason: "end_turn" };`,
      "unknown",
      null,
    ],
    [
      "a configured tell is there",
      `fake.say("x"); return { stopReason: "end_turn", _meta: { mine: { bad: true } } };`,
      "unknown",
      null,
    ],
    [
      "a configured text is there",
      `fake.say("Sorry, quota exceeded"); return { stopReason: "end_turn" };`,
      "quota",
      null,
    ],
    ["the agent refuses", `return { stopReason: "refusal" };`, "invalid_request", null],
    [
      "the agent had too many turns",
      `return { stopReason: "max_turn_requests" };`,
      "turn_limit",
      null,
    ],
    ["the reason is new", `fake.say("x"); return { stopReason: "brand_new" };`, "unknown", null],
    ["the answer is none", `return null;`, "unknown", null],
    ["the answer is an error with a status", `throw fake.fail(403, "no");`, "forbidden", 403],
    [
      "the answer is an error with known data",
      `throw fake.fail(-32603, "Internal error", { mine: { code: "E7" } });`,
      "budget",
      null,
    ],
  ])("because %s", async (_, script, kind, status) => {
    const failure = {
      textPatterns: ["^Sorry,"],
      tells: [{ path: "mine.bad" }],
      errorData: [{ path: "mine.code", equals: "E7", kind: "budget" as const }],
    };

    const { report, events } = await run(ends(script), { failure });

    expect(report).toMatchObject({ terminal: { ok: false }, error: { kind, status } });
    expect(ofType(events, "result")).toHaveLength(1);
  });

  it("where an agent owes figures, their absence is a tell", async () => {
    const script = ends(`fake.say("All done."); return { stopReason: "end_turn" };`);

    const without = await run(script);
    const owed = await run(script, { usage: { scope: "turn" } });

    expect(without.report.terminal).toMatchObject({ ok: true });
    expect(owed.report.terminal).toMatchObject({ ok: false });
  });
});

describe("a request for permission", () => {
  const asks = (path: string) => `fake.on["session/prompt"] = async () => {
    const options = [["x1", "allow_always"], ["x2", "reject_once"], ["x3", "allow_once"]].map(([optionId, kind]) => ({ optionId, kind }));
    const toolCall = { toolCallId: "t1", kind: "edit", title: "Edit", locations: [{ path: ${JSON.stringify(path)} }] };
    fake.say((await fake.ask("session/request_permission", { options, toolCall })).outcome.optionId);
    return { stopReason: "end_turn" };
  };`;

  it.each([
    ["allow-in-workspace", "a.txt", "x3", 0],
    ["allow-in-workspace", "/etc/passwd", "x2", 1],
    ["allow-in-workspace", "../../elsewhere", "x2", 1],
    ["allow-in-workspace", "..a/b", "x3", 0],
    ["allow-all", "/etc/passwd", "x3", 0],
    ["reject", "a.txt", "x2", 1],
  ] as const)("under %s for %s is answered %s", async (permission, path, answer, denied) => {
    const { report, events } = await run(asks(path), { permission });

    expect(report.terminal?.text).toBe(answer);
    expect(report).toMatchObject({ toolCalls: 1, deniedToolCalls: denied });
    expect(ofType(events, "tool_result")).toHaveLength(denied);
  });
});
