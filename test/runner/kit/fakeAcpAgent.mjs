// An agent of the Agent Client Protocol that does what its first argument, a program, says. The program may replace
// the answers to methods (`on`), and has `update`, `ask`, `send`, `hang` and the messages that came (`seen`).
import fs from "node:fs";
import readline from "node:readline";

const send = (message) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const hang = () => new Promise(() => setInterval(() => {}, 1e6));
const seen = [];
const asked = new Map();
const fake = {
  fs,
  send,
  hang,
  seen,
  on: {
    initialize: () => ({
      protocolVersion: 1,
      agentCapabilities: { loadSession: true, sessionCapabilities: { resume: {} } },
      agentInfo: { name: "fake", version: "1.2.3" },
    }),
    authenticate: () => ({}),
    "session/new": () => ({ sessionId: "s-1" }),
    "session/load": () => ({}),
    "session/resume": () => ({}),
    "session/set_mode": () => ({}),
    "session/set_config_option": () => ({}),
    "session/set_model": () => ({}),
    "session/prompt": () => {
      fake.say("Done.");
      return { stopReason: "end_turn", usage: { inputTokens: 10, outputTokens: 2, totalTokens: 12 } };
    },
  },
  update: (update) =>
    send({ method: "session/update", params: { sessionId: "s-1", update } }),
  say: (text) =>
    fake.update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } }),
  /** Tells the test where the agent is. */
  at: (place) => send({ method: "_at", params: { place } }),
  ask: (method, params) =>
    new Promise((answered) => {
      const id = `a${asked.size}`;
      asked.set(id, answered);
      send({ id, method, params });
    }),
  fail: (code, message, data) => Object.assign(new Error(message), { code, data }),
};

const AsyncFunction = (async () => {}).constructor;
await new AsyncFunction("fake", process.argv[2] ?? "")(fake);

const input = readline.createInterface({ input: process.stdin });
input.on("line", async (line) => {
  const message = JSON.parse(line);
  seen.push(message);
  if (message.method === undefined) return asked.get(message.id)?.(message.result ?? message);
  const handler = fake.on[message.method];
  if (message.id === undefined) return void handler?.(message.params);
  try {
    if (handler === undefined) throw fake.fail(-32601, "Method not found");
    send({ id: message.id, result: await handler(message.params) });
  } catch (error) {
    send({ id: message.id, error: { code: error.code ?? -32603, message: error.message, data: error.data } });
  }
});
input.on("close", () => (fake.onEnd ?? (() => process.exit(0)))());
