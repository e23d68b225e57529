import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { noFacts, withEvent } from "../../apps/agent-runner/agent-run/runFacts.ts";
import { acpAgentSchema } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import { converseByAcp } from "../../apps/agent-runner/agents/acp/acpConversation.ts";
import { readEvents } from "../../apps/agent-runner/agents/opencode/opencodeClient.ts";
import { createEventReader } from "../../apps/agent-runner/agents/opencode/opencodeEvents.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";

/** What went between a client and an agent that is talked with, as it was recorded. */
export type Conversation = { name: string; bytes: Buffer };

const factsOf = (events: readonly AgentEvent[]) => events.reduce(withEvent, noFacts);

/** Replays what the server of OpenCode told of its first session, cut into chunks at these places. */
export async function replayServe({ bytes }: Conversation, cuts: readonly number[] = []) {
  const [, sessionId = ""] = /"sessionID":"(ses_\w+)"/.exec(bytes.toString("latin1")) ?? [];
  const reader = createEventReader(sessionId);
  const events: AgentEvent[] = [];
  for await (const event of readEvents(chunksOf(bytes, cuts))) {
    if ("tooLongBytes" in event) continue;
    const read = reader.read(JSON.parse(event.text), event.text);
    events.push(...read.events);
    if (read.kind === "done") break;
  }
  return { events, facts: factsOf(events) };
}

type RunLine = {
  type?: string;
  sessionID?: string;
  part?: { type?: string; reason?: string };
  error?: unknown;
};

/**
 * Replays what `opencode run --format json` printed. Nobody is driven by it, but its lines hold the same parts as the
 * server's events. It has no last word of its own: a turn has ended when its last step says "stop".
 */
export function replayRun({ bytes }: Conversation, exitCode: number) {
  const lines = bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as RunLine);
  const sessionId = lines[0]?.sessionID ?? "";
  const reader = createEventReader(sessionId);
  const events: AgentEvent[] =
    sessionId === "" ? [] : [{ type: "init", sessionId, model: null, cwd: null }];
  const take = (event: object) => events.push(...reader.read(event, JSON.stringify(event)).events);
  for (const { type, part, error } of lines)
    if (part !== undefined)
      take({ type: "message.part.updated", properties: { sessionID: sessionId, part } });
    else if (type === "error")
      take({ type: "session.error", properties: { sessionID: sessionId, error } });
  const steps = lines.flatMap(({ part }) => (part?.type === "step-finish" ? [part.reason] : []));
  const hasFailed = lines.some(({ type }) => type === "error");
  if (hasFailed || (exitCode === 0 && steps.at(-1) === "stop")) events.push(...reader.end(null));
  return { events, facts: factsOf(events) };
}

async function* chunksOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let start = 0;
  for (const end of ends.sort((one, other) => one - other)) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

type Message = {
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: { outcome?: { optionId?: string } };
};
type Line = { dir: "<" | ">" | "note" | "<!"; msg?: Message };

const usages: Record<string, z.input<typeof acpAgentSchema>["usage"]> = {
  claude: { scope: "turn", costScope: "process" },
  "claude-native": { scope: "turn", costScope: "process" },
  codex: { scope: "turn" },
  "codex-native": { scope: "turn" },
  copilot: { scope: "turn" },
  gemini: { scope: "turn" },
  opencode: { scope: "last-call", costScope: "session" },
};

/** Configures the agent as the recorded client did. */
function configOf(name: string, lines: readonly Line[]) {
  const sent = lines.flatMap(({ dir, msg }) => (dir === ">" && msg ? [msg] : []));
  const paramOf = (method: string, param: string) =>
    sent.find((message) => message.method === method)?.params?.[param];
  const answers = sent.flatMap(({ result }) => result?.outcome?.optionId ?? []);
  const option = paramOf("session/set_config_option", "configId");
  const value = paramOf("session/set_config_option", "value");
  return acpAgentSchema.parse({
    id: "recorded",
    title: name,
    argv: ["recorded"],
    secretNames: ["KEY"],
    credentialVariable: "KEY",
    authMethod: paramOf("authenticate", "methodId"),
    mode: paramOf("session/set_mode", "modeId"),
    configOptions: option === undefined ? {} : { [String(option)]: value },
    permission: answers.some((id) => /reject|cancel|deny/i.test(id)) ? "reject" : "allow-all",
    usage: usages[name.split(".")[0] ?? ""],
  });
}

/** A session may be resumed by either; the recorded client loaded where ours resumes. */
const opening = (method: string) => (method === "session/load" ? "session/resume" : method);

/** What was told before the prompt is not to be taken for what followed it. */
async function untilSent(sent: ReadonlyMap<string, unknown>, method: string): Promise<void> {
  for (let tries = 0; tries < 100 && !sent.has(method); tries += 1) await sleep(10);
}

/**
 * Replays the agent's side of a recorded conversation. Its answers go to the requests of the same method; those to
 * requests that are not made any more are left out.
 */
export async function replayAcp({ name, bytes }: Conversation) {
  const lines = bytes
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const events: AgentEvent[] = [];
  const sent = new Map<string, number | string>();
  const conversation = startConversation(name, lines, events, sent);
  const leading = conversation.lead();
  const asked = new Map<number | string, string>();
  for (const { dir, msg } of lines) {
    if (msg === undefined) continue;
    if (dir === ">") await noteSent(msg, asked, sent);
    if (dir !== "<") continue;
    await nextTurn();
    const told = forOurRequest(msg, asked, sent);
    if (told !== null)
      events.push(...conversation.line({ kind: "line", text: JSON.stringify(told) }));
  }
  await nextTurn();
  conversation.outputEnded();
  await leading;
  return { events, facts: factsOf(events) };
}

function startConversation(
  name: string,
  lines: readonly Line[],
  events: AgentEvent[],
  sent: Map<string, number | string>,
) {
  const load = lines.find(({ dir, msg }) => dir === ">" && /load|resume/.test(msg?.method ?? ""));
  const id = String(load?.msg?.params?.sessionId ?? "");
  return converseByAcp(configOf(name, lines), {
    request: {
      prompt: "Do it.",
      home: "/home/of-the-run",
      session: load === undefined ? { kind: "new", id: "" } : { kind: "resume", id },
      password: "",
      secrets: {},
    },
    env: {},
    workspace: "/workspace",
    write: (text) => {
      const { method, id: ours } = JSON.parse(text) as Message;
      if (method !== undefined && ours !== undefined) sent.set(opening(method), ours);
    },
    emit: async (event) => void events.push(event),
    heard: () => {},
    stopping: new AbortController().signal,
  });
}

async function noteSent(
  { id, method }: Message,
  asked: Map<number | string, string>,
  sent: ReadonlyMap<string, unknown>,
): Promise<void> {
  if (id !== undefined && method !== undefined) asked.set(id, opening(method));
  if (method === "session/prompt") await untilSent(sent, method);
}

/** A message as it would have come to our requests; null where it answers what was not asked. */
function forOurRequest(
  message: Message,
  asked: ReadonlyMap<number | string, string>,
  sent: ReadonlyMap<string, number | string>,
): Message | null {
  if (message.method !== undefined) return message;
  const ours = sent.get(asked.get(message.id ?? "") ?? "");
  return ours === undefined ? null : { ...message, id: ours };
}
