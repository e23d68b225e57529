import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { acpTap } from "../../scripts/agents-record/acpTap.ts";
import { opencodeTap } from "../../scripts/agents-record/opencodeTap.ts";
import { driftOf, shapeOf, unionOf } from "../../scripts/agents-record/shape.ts";
import { script } from "./kit/scripts.ts";

const lines = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join("\n");
const was = shapeOf(
  lines(
    { type: "init", model: "m" },
    { type: "item", item: { type: "patch", files: [{ path: "a" }] } },
  ),
  0,
);

describe("what is told of a CLI's output", () => {
  it("is its types of events, their fields and the exit code, without contents", () => {
    expect(was).toEqual({
      exitCode: 0,
      types: {
        init: ["model: string", "type: string"],
        "item/patch": ["item.files[].path: string", "item.type: string", "type: string"],
      },
    });
    expect(shapeOf(lines({ type: "u", models: { "gpt-5.5": { n: 1 } } }), 0).types).toEqual({
      u: ["models.*.n: number", "type: string"],
    });
    expect(shapeOf("a warning\n", 1).types).toEqual({ "(no JSON object)": [] });
  });

  it("drifts by a type, a field, the type of a value or the exit code", () => {
    const is = shapeOf(lines({ type: "init", model: null }, { type: "stop" }), 3);

    expect(driftOf(was, was)).toEqual([]);
    expect(driftOf(was, is)).toEqual([
      "~ exit 0 → 3",
      "+ type stop",
      "- type item/patch",
      "+ field init model: null",
      "- field init model: string",
    ]);
  });

  it("is of several runs all that any has shown", () => {
    const union = unionOf([was, shapeOf(lines({ type: "init", cwd: "/" }), 0)]);

    expect(union.types.init).toEqual(["cwd: string", "model: string", "type: string"]);
    expect(driftOf(union, union)).toEqual([]);
  });
});

/** Of an agent that is talked with, what it says is overheard. */
describe("what is overheard of a conversation", () => {
  it("of the Agent Client Protocol are requests, notifications, and answers by what they answer", async () => {
    const tap = acpTap();
    tap.sent(JSON.stringify({ id: 1, method: "initialize" }));
    tap.sent(JSON.stringify({ id: 2, method: "session/prompt" }));
    const update = { sessionUpdate: "tool_call", toolCallId: "t" };

    for (const message of [
      { id: 1, result: {} },
      { method: "session/update", params: { update } },
      { id: 2, error: { code: -32000 } },
    ])
      expect(await tap.heard(JSON.stringify(message))).toBe(JSON.stringify(message));

    expect(shapeOf(tap.lines().join("\n"), 0).types).toEqual({
      "answer to initialize": ["id: number", "type: string"],
      "session/update/tool_call": [
        "method: string",
        "params.update.sessionUpdate: string",
        "params.update.toolCallId: string",
        "type: string",
      ],
      "error to session/prompt": ["error.code: number", "id: number", "type: string"],
    });
  });

  it("of OpenCode are the events of its session, which pass by unchanged", async () => {
    const part = { type: "tool", sessionID: "ses_1", state: { status: "running" } };
    const sent = [
      { type: "plugin.added", properties: { id: "x" } },
      { type: "message.part.updated", properties: { part } },
    ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
    const server = createServer((_, answer) => answer.end(sent.join("")));
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const tap = opencodeTap();

    const heard = await tap.heard(`opencode server listening on http://127.0.0.1:${port}`);
    const url = heard.split(" ").at(-1) ?? "";
    const passed = await (await fetch(`${url}/event`)).text();
    await tap.close();

    expect(url).not.toContain(`:${port}`);
    expect(passed).toBe(sent.join(""));
    expect(Object.keys(shapeOf(tap.lines().join("\n"), 0).types)).toEqual([
      "message.part.updated/tool/running",
    ]);
  });
});

describe("npm run agents:record", () => {
  it("finds the installed Gemini CLI as it was recorded", async () => {
    const { code, stdout } = await script("agentsRecord", ["--agent", "gemini", "--case", "plain"]);

    expect(stdout).toMatch(
      /^gemini [\d.]+, against the record of [\d.]+\n {2}plain +exit 0, 3 types of events, as recorded\n$/,
    );
    expect(code).toBe(0);
  });

  it("finds an agent that is talked with as it was recorded, each in its own words", async () => {
    const agents = ["--agent", "opencode", "--agent", "gemini-acp"];
    const { code, stdout } = await script("agentsRecord", [...agents, "--case", "plain"]);

    expect(stdout).toMatch(
      /^opencode [\d.]+, .*\n {2}plain +exit null, 12 types of events, as recorded\ngemini-acp [\d.]+, .*\n {2}plain +exit 0, 7 types of events, as recorded\n$/,
    );
    expect(code).toBe(0);
  });

  it("called wrongly says how to call it", async () => {
    const { code, stderr } = await script("agentsRecord", ["--agent", "cursor"]);

    expect(code).toBe(2);
    expect(stderr).toContain(
      '--agent must be one of claude-code, gemini, codex, copilot, opencode, gemini-acp, opencode-acp, not "cursor"',
    );
    expect(stderr).toContain("usage: npm run agents:record");
  });
});
