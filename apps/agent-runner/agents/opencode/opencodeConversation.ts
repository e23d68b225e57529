import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";
import { within } from "../../processes/guardedProcess.ts";
import type { AgentConversation, AgentSession } from "../agentAdapter.ts";
import { type Failure, failureOfText } from "../failureText.ts";
import { parseJsonLine } from "../jsonLines.ts";
import {
  createOpencodeClient,
  type ModelRef,
  type OpencodeClient,
  type ServerEvent,
} from "./opencodeClient.ts";
import { createEventReader } from "./opencodeEvents.ts";

const startMs = 60_000;
const goneMs = 1000;

/** A request that is sent before this line is out may never be answered. */
const listening = /listening on (http:\/\/\S+)/;

/** One prompt to one session of `opencode serve`. */
export function converseWithOpencode(
  session: AgentSession,
  model: ModelRef | null,
): AgentConversation {
  const server = Promise.withResolvers<string | null>();
  const ended = new AbortController();
  let hasResult = false;
  const emitAll = async (events: AgentEvent[]) => {
    for (const event of events) {
      hasResult ||= event.type === "result";
      await session.emit(event);
    }
  };
  session.stopping.addEventListener("abort", () => server.resolve(null), { once: true });
  return {
    line: (line) => {
      const text = line.kind === "line" ? line.text : "";
      const url = listening.exec(text)?.[1];
      if (url !== undefined) server.resolve(url);
      return text.trim() === "" ? [] : [{ type: "raw", sourceType: "opencode/stdout", text }];
    },
    errorLine: () => [],
    outputEnded: () => {
      server.resolve(null);
      ended.abort();
    },
    lead: () => lead({ session, model, server: server.promise, ended: ended.signal, emitAll }),
    end: ({ exit, errorOutput }) =>
      hasResult || exit?.exitCode === 0 || errorOutput.trim() === ""
        ? []
        : [{ type: "error", ...failureOfText(errorOutput.trim()), fatal: true }],
  };
}

type Lead = {
  session: AgentSession;
  model: ModelRef | null;
  /** Null: there will be none. */
  server: Promise<string | null>;
  /** The server is gone. */
  ended: AbortSignal;
  emitAll(events: AgentEvent[]): Promise<void>;
};

async function lead(all: Lead): Promise<void> {
  const { session, server, ended, emitAll } = all;
  const isUp = await within(server, startMs);
  if (isUp === "late")
    return emitAll(failed("timeout", "OpenCode did not begin to listen in time."));
  const url = await server;
  if (url === null) return;
  try {
    await talk(all, createOpencodeClient(url, session.request.password));
  } catch (error) {
    if (session.stopping.aborted || (await isGone(ended))) return;
    throw error;
  }
}

async function talk(all: Lead, client: OpencodeClient): Promise<void> {
  const { session, model, ended, emitAll } = all;
  const { request, stopping } = session;
  const events = await client.openEvents(ended);
  const id = await openSession(client, session);
  if (id === null || stopping.aborted) return;
  const name = model === null ? null : `${model.providerID}/${model.modelID}`;
  await emitAll([{ type: "init", sessionId: id, model: name, cwd: session.workspace }]);
  const abort = () => void client.abort(id).catch(() => {});
  stopping.addEventListener("abort", abort, { once: true });
  const asked = await client.prompt(id, request.prompt, model);
  if (asked.kind === "refused") return emitAll(failed("invalid_request", asked.message));
  if (stopping.aborted) abort();
  await follow(all, id, events);
}

async function openSession(
  client: OpencodeClient,
  { request, emit }: AgentSession,
): Promise<string | null> {
  if (request.session.kind === "new") return client.createSession("Switchyard");
  const { id } = request.session;
  const known = await client.findSession(id);
  if (known.kind === "ok") return id;
  const message = `The session ${id} is lost: ${known.message}`;
  for (const event of failed("invalid_request", message)) await emit(event);
  return null;
}

/** The next event is read once what follows from this one is on the disk. */
async function follow(
  { session, ended, emitAll }: Lead,
  sessionId: string,
  events: AsyncIterable<ServerEvent>,
): Promise<void> {
  const reader = createEventReader(sessionId);
  for await (const event of events) {
    if ("tooLongBytes" in event) {
      const message = "an event was too long to read";
      await emitAll([{ type: "parse_warning", message, bytes: event.tooLongBytes }]);
      continue;
    }
    const last = { isOver: false };
    const told = parseJsonLine({ kind: "line", text: event.text }, (value, text) => {
      if (value.type !== "server.heartbeat") session.heard();
      const read = reader.read(value, text);
      last.isOver = read.kind === "done";
      return read.events;
    });
    await emitAll(told);
    if (last.isOver) return;
  }
  if (session.stopping.aborted || (await isGone(ended))) return;
  const message = "The events of OpenCode ended before its turn did.";
  await emitAll(reader.end({ kind: "network", status: null, message }));
}

/** A server that goes closes its connections a moment before its output. */
async function isGone(ended: AbortSignal): Promise<boolean> {
  if (ended.aborted) return true;
  const gone = new Promise<void>((resolve) => {
    ended.addEventListener("abort", () => resolve(), { once: true });
  });
  return (await within(gone, goneMs)) === "settled";
}

function failed(kind: Failure["kind"], message: string): AgentEvent[] {
  return [
    { type: "error", kind, status: null, message, fatal: true },
    { type: "result", ok: false, reason: "error", text: message, turns: null, durationMs: null },
  ];
}
