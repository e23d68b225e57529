import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAcpAgents } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import {
  type AcpChoice,
  fakeAcpConfig,
  fakeRequest,
  ofType,
  openFake,
  runFake,
} from "./kit/fakeAcp.ts";
import { processesOf } from "./kit/processes.ts";
import { makeRepository, temporaryFolder } from "./kit/repositories.ts";
import { openRunner, spawnRunner } from "./kit/runners.ts";
import { finishRun } from "./kit/scriptAgent.ts";

const repository = () => makeRepository({ "a.txt": "one\n" });
const run = (script: string, more: AcpChoice = {}) => runFake(repository(), script, more);
const edit = `fake.on["session/prompt"] = async () => {
  fake.say("I edit "); fake.say("it.");
  fake.update({ sessionUpdate: "tool_call", toolCallId: "t1", title: "Edit", kind: "edit", status: "pending", rawInput: {} });
  fake.update({ sessionUpdate: "tool_call_update", toolCallId: "t1", rawInput: { path: "a.txt" } });
  fake.fs.writeFileSync("a.txt", "two\\n");
  fake.update({ sessionUpdate: "tool_call_update", toolCallId: "t1", status: "completed", content: [{ type: "content", content: { type: "text", text: "edited" } }] });
  fake.say("Edited.");
  return { stopReason: "end_turn", usage: { inputTokens: 100, cachedReadTokens: 20, outputTokens: 10, totalTokens: 130 } };
};`;

describe("an agent of the Agent Client Protocol", () => {
  it("is started, asked, and sent away after its last word", async () => {
    const { report, events, state } = await run(edit, { usage: { scope: "turn" } });

    expect(report).toMatchObject({
      agent: "fake",
      agentVersion: "1.2.3",
      terminal: { ok: true, reason: "end_turn", text: "Edited." },
      exit: { exitCode: 0, signal: null, dismissed: true },
      error: null,
      fault: null,
      stoppedBy: null,
      sessionId: "s-1",
      toolCalls: 1,
      usage: { inputTokens: 120, cachedInputTokens: 20, outputTokens: 10, reasoningTokens: 0 },
      patch: { files: { "a.txt": { op: "edit" } } },
    });
    expect(ofType(events, "tool_use")).toEqual([
      { type: "tool_use", id: "t1", name: "edit", input: { path: "a.txt" } },
    ]);
    expect(ofType(events, "tool_result")).toMatchObject([{ id: "t1", ok: true, output: "edited" }]);
    expect(processesOf(state)).toEqual([]);
  });

  it("may say what nobody knows, in lines that are no JSON, and asks for methods that are not there", async () => {
    const { report, events } = await run(`fake.on["session/prompt"] = async () => {
      process.stdout.write("a log line\\n[1, 2]\\n\\n");
      fake.update({ sessionUpdate: "brand_new", x: 1 });
      fake.update({ sessionUpdate: "tool_call", toolCallId: 7 });
      fake.send({ method: "_x/ext" }); fake.send({ id: 4711, result: {} }); fake.send({ id: null, error: {} });
      fake.say(JSON.stringify(await fake.ask("fs/read_text_file", { path: "a.txt" })));
      fake.update({ sessionUpdate: "tool_call", toolCallId: "1", title: "t", kind: "brandnew", status: "weird" });
      return { stopReason: "end_turn" };
    };`);

    expect(report.terminal).toMatchObject({ ok: true });
    expect(
      ofType(events, "message")
        .map(({ text }) => text)
        .join(""),
    ).toContain("-32601");
    const raw = ofType(events, "raw").map(({ sourceType }) => sourceType);
    expect(raw).toEqual(
      expect.arrayContaining(["acp/brand_new", "acp/tool_call", "acp/_x/ext", "acp/unknown"]),
    );
    expect(ofType(events, "parse_warning")).toHaveLength(2);
  });

  it("that prints a line without an end is not read any further than to the limit", async () => {
    const { report, events } = await run(`fake.on["session/prompt"] = async () => {
      process.stdout.write("x".repeat(3_000_000) + "\\n");
      fake.say("Done.");
      return { stopReason: "end_turn" };
    };`);

    expect(report.terminal).toMatchObject({ ok: true });
    expect(ofType(events, "parse_warning")).toMatchObject([{ bytes: 3_000_000 }]);
  });

  it("gets its login, mode, options and model where it offers them", async () => {
    const script = `
      fake.on["session/new"] = (params) => ({ sessionId: "s-1", modes: { availableModes: [{ id: "yolo" }] },
        configOptions: [{ id: "allow_all", category: "other" }, { id: "m", category: "model", options: [{ value: "m1" }] }] });
      fake.on["session/prompt"] = () => {
        fake.say(fake.seen.map(({ method, params }) => method + " " + JSON.stringify(params)).join("\\n"));
        return { stopReason: "end_turn" };
      };`;
    const more: AcpChoice = {
      authMethod: "api-key",
      mode: "yolo",
      configOptions: { allow_all: true },
      sessionMeta: { fast: 1 },
    };

    const { report } = await runFake(repository(), script, more, { model: "m1" });

    const text = report.terminal?.text ?? "";
    expect(text).toContain('authenticate {"methodId":"api-key"}');
    expect(text).toContain('"_meta":{"fast":1}');
    expect(text).toContain('session/set_mode {"sessionId":"s-1","modeId":"yolo"}');
    expect(text).toContain('"configId":"allow_all","value":true');
    expect(text).toContain('"configId":"m","value":"m1"');
  });

  it.each([
    [
      "another version",
      `fake.on.initialize = () => ({ protocolVersion: 2 });`,
      {},
      "invalid_request",
    ],
    [
      "a login that is refused",
      `fake.on.authenticate = () => { throw fake.fail(-32000, "Authentication required"); };`,
      { authMethod: "k" },
      "auth",
    ],
    ["no such mode", "", { mode: "yolo" }, "invalid_request"],
    ["no such option", "", { configOptions: { a: "b" } }, "invalid_request"],
    [
      "no answer in time",
      `fake.on["session/new"] = fake.hang;`,
      { timeouts: { startMs: 300 } },
      "timeout",
    ],
  ] as const)("with %s ends before it is asked", async (_, script, more, kind) => {
    const asked = `fake.on["session/prompt"] = () => { fake.fs.writeFileSync("a.txt", "no\\n"); return { stopReason: "end_turn" }; };`;

    const { report } = await run(`${asked}${script}`, more);

    expect(report).toMatchObject({ terminal: { ok: false }, error: { kind }, patch: null });
  });

  it("gets values and secrets in its environment, and none of them out", async () => {
    const script = `fake.on["session/prompt"] = () => {
      const thought = (text) => fake.update({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text } });
      const { FAKE_KEY, OTHER_KEY, BASE, LEFT_OUT } = process.env;
      thought("the key is " + FAKE_KEY.slice(0, 9)); thought(FAKE_KEY.slice(9));
      fake.say(FAKE_KEY.slice(0, 7)); fake.say(FAKE_KEY.slice(7) + " ");
      fake.say([OTHER_KEY === FAKE_KEY, BASE, LEFT_OUT, process.argv.length].join(","));
      return { stopReason: "end_turn" };
    };`;
    const env = {
      OTHER_KEY: { secret: "FAKE_KEY" },
      BASE: "{endpoint}/v1",
      LEFT_OUT: "{model}",
    };
    const secrets = { FAKE_KEY: "fk-SECRET/of+the=fake0001" };

    const { report, events } = await runFake(
      repository(),
      script,
      { env },
      {
        secrets,
        endpoint: "http://127.0.0.1:9",
      },
    );

    expect(report.terminal?.text).toBe("[secret:FAKE_KEY] true,http://127.0.0.1:9/v1,,3");
    expect(ofType(events, "thinking")).toEqual([
      { type: "thinking", text: "the key is [secret:FAKE_KEY]" },
    ]);
    expect(JSON.stringify(events)).not.toContain("SECRET/of");
  });
});

describe("a session", () => {
  const tells = `fake.on["session/prompt"] = () => { fake.say(fake.seen.map(({ method }) => method).join(" ")); return { stopReason: "end_turn" }; };`;
  const lost = `fake.on["session/resume"] = () => { throw fake.fail(-32603, "no rollout found"); };`;
  const resumed = async (script: string, more: AcpChoice = {}) =>
    runFake(repository(), `${tells}${script}`, more, { session: { id: "s-0" } });

  it("is resumed, and its history is not told again", async () => {
    const replays = `fake.on.initialize = () => ({ protocolVersion: 1, agentCapabilities: { loadSession: true } });
      fake.on["session/load"] = () => { fake.say("old words"); setTimeout(() => fake.say("older words"), 100); return null; };`;

    const { report, events } = await resumed(replays);

    expect(report.sessionId).toBe("s-0");
    expect(report.terminal?.text).toBe("initialize session/load session/prompt");
    const said = ofType(events, "message").map(({ text }) => text);
    expect(said.join("")).toBe(report.terminal?.text);
    expect((await resumed("")).report.terminal?.text).toContain("session/resume");
  });

  it("that is lost ends the run, as the prompt may make no sense without it", async () => {
    const { report } = await resumed(lost);

    expect(report).toMatchObject({
      terminal: { ok: false },
      error: { kind: "invalid_request", message: expect.stringContaining("no rollout found") },
    });
  });

  it("that is lost is begun anew where that is configured", async () => {
    const { report, events } = await resumed(lost, { resume: "fresh" });

    expect(report).toMatchObject({ sessionId: "s-1", terminal: { ok: true }, error: null });
    expect(ofType(events, "error")).toMatchObject([{ kind: "invalid_request", fatal: false }]);
  });

  it("is begun anew where none is ever resumed", async () => {
    const { report } = await resumed("", { resume: "never" });

    expect(report.terminal?.text).toBe("initialize session/new session/prompt");
  });

  it("keeps its files from run to run", async () => {
    const source = repository();
    const script = `fake.on["session/prompt"] = () => {
      const file = process.env.HOME + "/.fake/words"; const old = fake.fs.existsSync(file) ? fake.fs.readFileSync(file, "utf8") : "";
      fake.fs.mkdirSync(process.env.HOME + "/.fake", { recursive: true }); fake.fs.writeFileSync(file, old + "word ");
      fake.say(fake.fs.readFileSync(file, "utf8")); return { stopReason: "end_turn" }; };`;
    const opened = await openFake(source, script, { sessionPaths: [".fake"] });
    const first = await finishRun(opened, "exec_1", fakeRequest(source));
    const session = { id: first.report.sessionId ?? "" };

    const second = await finishRun(opened, "exec_2", fakeRequest(source, { session }));

    expect(second.report.terminal?.text).toBe("word word ");
  });
});

describe("a runner with a file of agents", () => {
  const entry = fakeAcpConfig("await 0;");

  it("reports them as its own", async () => {
    const file = join(temporaryFolder("config"), "agents.json");
    writeFileSync(file, JSON.stringify({ agents: [entry] }));
    const { client } = await spawnRunner({ flags: ["--acp-agents", file] });

    const { body } = await client.answer("GET", "/health");

    expect(body).toMatchObject({ value: { agents: { fake: { version: "1.2.3" } } } });
  });

  it("leaves out those whose program is not there", async () => {
    const missing = { ...entry, id: "missing", argv: ["no-such-program"] };
    const { client } = await openRunner({ registry: {}, acpAgents: [entry, missing] });

    const { body } = await client.answer("GET", "/health");

    expect(body).toMatchObject({ value: { agents: { fake: { version: "1.2.3" } } } });
    expect(JSON.stringify(body)).not.toContain("missing");
  });

  it("is not started with one that has the name of another agent", async () => {
    await expect(openRunner({ acpAgents: [{ ...entry, id: "gemini" }] })).rejects.toThrow("gemini");
  });
});

describe("a configuration", () => {
  const agent = {
    id: "mine",
    title: "Mine",
    argv: ["mine"],
    secretNames: ["K"],
    credentialVariable: "KEY",
  };
  const parse = (value: unknown) => () => parseAcpAgents(JSON.stringify(value), "agents.json");

  it.each([
    [{ agents: [] }, "agents"],
    [{ agents: [agent, agent] }, "agents: must have an id each"],
    [{ agents: [{ ...agent, id: "Mine" }] }, "agents.0.id"],
    [{ agents: [{ ...agent, argv: [] }] }, "agents.0.argv"],
    [{ agents: [{ ...agent, env: { PATH: "/x" } }] }, "agents.0.env"],
    [{ agents: [{ ...agent, files: { "../x": "" } }] }, "agents.0.files"],
    [{ agents: [{ ...agent, sessionPaths: ["/etc"] }] }, "agents.0.sessionPaths.0"],
    [{ agents: [{ ...agent, failure: { textPatterns: ["("] } }] }, "regular expression"],
    [{ agents: [{ ...agent, permission: "all" }] }, "agents.0.permission"],
    [{ agents: [{ ...agent, colour: "red" }] }, "colour"],
  ])("%# that is wrong is refused by the name of its fault", (value, message) => {
    expect(parse(value)).toThrow(message);
  });

  it("is refused when it is no JSON", () => {
    expect(() => parseAcpAgents("{", "agents.json")).toThrow("agents.json is no JSON");
  });
});
