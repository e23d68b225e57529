import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../shared/contracts/runner.ts";
import { type AcpChoice, fakeRequest, ofType, openFake } from "./kit/fakeAcp.ts";
import { processesOf } from "./kit/processes.ts";
import { makeRepository } from "./kit/repositories.ts";
import type { TestRunner } from "./kit/runners.ts";
import { waitForEvent } from "./kit/scriptAgent.ts";

const begin = async (script: string, more: AcpChoice = {}, session?: { id: string }) => {
  const source = makeRepository({ "a.txt": "one\n" });
  const opened = await openFake(source, script, more);
  const request = fakeRequest(source, session === undefined ? {} : { session });
  await opened.client.put("/runs/exec_1", request);
  return opened;
};

const untilAt = (opened: TestRunner, place: string) =>
  waitForEvent(
    opened,
    "/runs/exec_1",
    (event) => event.type === "raw" && event.sourceType === "acp/_at" && event.text.includes(place),
  );

const ended = async ({ client }: TestRunner) => {
  const events = (await client.finished("/runs/exec_1")).map(({ event }) => event);
  const { report } = await client.runResult("/runs/exec_1");
  if (report === null) return expect.fail("a finished run has no report");
  return { events, report };
};

/** However it came to its end: one end, told once, and nothing after it. */
function expectOneEnd(events: AgentEvent[], report: RunReport, state: string): void {
  expect(ofType(events, "result").length).toBeLessThan(2);
  expect(ofType(events, "agent_exited").length).toBeLessThan(2);
  const interrupted = events.filter(({ type }) => type === "interrupted");
  expect(interrupted).toEqual(
    report.stoppedBy === null ? [] : [{ type: "interrupted", reason: report.stoppedBy }],
  );
  const exit = events.findIndex(({ type }) => type === "agent_exited");
  const after = exit === -1 ? [] : events.slice(exit + 1).map(({ type }) => type);
  expect(after).toEqual(report.stoppedBy === null ? ["diff"] : ["interrupted"]);
  expect(report.terminal !== null).toBe(ofType(events, "result").length === 1);
  expect(processesOf(state)).toEqual([]);
}

const reaching = (method: string) =>
  `fake.on[${JSON.stringify(method)}] = () => { fake.at(${JSON.stringify(method)}); return fake.hang(); };`;

const options = `fake.on["session/new"] = () => ({ sessionId: "s-1", modes: { availableModes: [{ id: "yolo" }] },
  models: { availableModels: [] }, configOptions: [{ id: "a", category: "x" }] });`;
const settings: AcpChoice = { authMethod: "k", mode: "yolo", configOptions: { a: true } };

describe("a run that is cancelled while the agent owes the answer to", () => {
  it.each([
    "initialize",
    "authenticate",
    "session/new",
    "session/set_mode",
    "session/set_config_option",
    "session/prompt",
  ])("%s ends at once", async (method) => {
    const opened = await begin(`${options}${reaching(method)}`, settings);
    await untilAt(opened, method);

    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", patch: null, fault: null });
    expectOneEnd(events, report, opened.state);
  });

  it.each(["session/resume", "session/load"])("%s ends at once", async (method) => {
    const loads =
      method === "session/load"
        ? `fake.on.initialize = () => ({ protocolVersion: 1, agentCapabilities: { loadSession: true } });`
        : "";
    const replayed = `fake.on["${method}"] = () => { process.stderr.write("at\\n"); fake.fs.writeFileSync("at", ""); return fake.hang(); };`;
    const opened = await begin(`${loads}${replayed}`, {}, { id: "s-0" });
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "agent_started");
    await sleep(300);

    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", terminal: null });
    expectOneEnd(events, report, opened.state);
  });
});

const prompt = (body: string, onCancel: string) => `
  let answer; const answered = new Promise((done) => { answer = done; });
  fake.on["session/prompt"] = async () => { ${body}; fake.at("prompt"); return answered; };
  fake.on["session/cancel"] = async () => { ${onCancel} };`;

const tool = `fake.update({ sessionUpdate: "tool_call", toolCallId: "t1", title: "Sleep", kind: "execute", status: "in_progress" })`;

/** What an agent may do when it is asked to stop, and what is left of its turn. */
const manners: [name: string, onCancel: string, reason: string | null][] = [
  ["answers that it is cancelled", `answer({ stopReason: "cancelled" });`, "cancelled"],
  [
    "answers that it is done all the same",
    `fake.say("Done."); answer({ stopReason: "end_turn" });`,
    "end_turn",
  ],
  [
    "answers with an error",
    `fake.send({ id: 2, error: { code: -32603, message: "aborted" } });`,
    "error",
  ],
  [
    "answers, and is gone before it can be sent away",
    `answer({ stopReason: "cancelled" }); setImmediate(() => process.exit(0));`,
    "cancelled",
  ],
  ["is gone without an answer", `process.exit(3);`, null],
  ["kills itself", `process.kill(process.pid, "SIGKILL");`, null],
  [
    "closes its output, then goes",
    `fs = fake.fs; fs.closeSync(1); setTimeout(() => process.exit(0), 200);`,
    null,
  ],
  [
    "goes, its output held open by another",
    `(await import("node:child_process")).spawn("sleep", ["300"], { stdio: ["ignore", "inherit", "ignore"], detached: true }); process.exit(0);`,
    null,
  ],
  [
    "tells of its tool first",
    `fake.update({ sessionUpdate: "tool_call_update", toolCallId: "t1", status: "failed" }); answer({ stopReason: "cancelled" });`,
    "cancelled",
  ],
  [
    "asks for permission first",
    `const { outcome } = await fake.ask("session/request_permission", { options: [{ optionId: "y", kind: "allow_once" }], toolCall: { toolCallId: "t2" } }); fake.say(outcome.outcome); answer({ stopReason: outcome.outcome });`,
    "cancelled",
  ],
];

describe("an agent that is at work when its run is cancelled", () => {
  it.each(manners)("and %s has one end", async (_, onCancel, reason) => {
    const opened = await begin(`let fs; ${prompt(tool, onCancel)}`);
    await untilAt(opened, "prompt");

    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", patch: null, fault: null });
    expect(report.terminal?.reason ?? null).toBe(reason);
    expectOneEnd(events, report, opened.state);
  });

  it("and hears nothing of it is ended by force, with all that it started", async () => {
    const deaf = `process.on("SIGTERM", () => {}); fake.onEnd = () => {}; setInterval(() => {}, 1e6);
      const { spawn } = await import("node:child_process");
      spawn("sleep", ["300"], { stdio: "ignore", detached: true });`;
    const opened = await begin(`${deaf}${prompt("", "")}`);
    await untilAt(opened, "prompt");

    const startedAtMs = Date.now();
    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", exit: { signal: "SIGKILL" } });
    expectOneEnd(events, report, opened.state);
    expect(Date.now() - startedAtMs).toBeGreaterThan(10_000);
    expect(Date.now() - startedAtMs).toBeLessThan(20_000);
  });
});

describe("a cancel that comes in the other order", () => {
  it("before the agent was started has no agent", async () => {
    const opened = await begin("await 0;");

    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", patch: null });
    expect(events.at(-1)).toEqual({ type: "interrupted", reason: "cancel" });
    expect(processesOf(opened.state)).toEqual([]);
  });

  it("after the last word, while the agent takes its time to go", async () => {
    const slow = `fake.onEnd = () => setTimeout(() => process.exit(0), 1500); setInterval(() => {}, 1e6);`;
    const opened = await begin(slow);
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "result");

    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", terminal: { ok: true }, patch: null });
    expectOneEnd(events, report, opened.state);
  });

  it("after the end of the output, while the agent lives on", async () => {
    const opened = await begin(
      `fake.onEnd = () => {}; process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6);
       fake.on["session/prompt"] = () => { fake.at("prompt"); setImmediate(() => fake.fs.closeSync(1)); return fake.hang(); };`,
    );
    await untilAt(opened, "prompt");

    await opened.client.cancel("/runs/exec_1");

    const { events, report } = await ended(opened);
    expect(report).toMatchObject({ stoppedBy: "cancel", terminal: null });
    expectOneEnd(events, report, opened.state);
  });
});

describe("an agent that ends by itself", () => {
  it.each([
    [
      "in the middle of its turn",
      `fake.on["session/prompt"] = () => { process.stderr.write("connect ECONNREFUSED\\n"); process.exit(3); };`,
      3,
      "network",
    ],
    [
      "before it has said a word",
      `process.stderr.write("cannot read its settings\\n"); process.exit(1);`,
      1,
      "unknown",
    ],
    [
      "with its output first",
      `fake.on["session/prompt"] = () => { fake.fs.closeSync(1); setTimeout(() => process.exit(4), 300); return fake.hang(); };`,
      4,
      null,
    ],
  ])("%s has had no last word", async (_, script, exitCode, kind) => {
    const opened = await begin(script);

    const { events, report } = await ended(opened);

    expect(report).toMatchObject({ stoppedBy: null, terminal: null, exit: { exitCode } });
    expect(report.error?.kind ?? null).toBe(kind);
    expectOneEnd(events, report, opened.state);
  });

  it("says nothing more after its last word", async () => {
    const opened = await begin(
      `fake.onEnd = () => { fake.say("one more"); fake.send({ id: 2, result: { stopReason: "refusal" } }); setTimeout(() => process.exit(0), 50); };`,
    );

    const { events, report } = await ended(opened);

    expect(report).toMatchObject({ terminal: { ok: true, text: "Done." }, error: null });
    expect(ofType(events, "message").map(({ text }) => text)).toEqual(["Done."]);
    expectOneEnd(events, report, opened.state);
  });
});

describe("the limits of an agent's own", () => {
  it("are kept where they are shorter than those of the run", async () => {
    const opened = await begin(`fake.on["session/prompt"] = fake.hang;`, {
      timeouts: { idleMs: 400 },
    });

    expect((await ended(opened)).report).toMatchObject({ stoppedBy: "silence" });
  });
});
