import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { createLineSplitter } from "../jsonLines.ts";
import { sessionSchema } from "./opencodeWire.ts";

/** What came of a call: an HTTP status that is none of success is told, everything else throws. */
export type ServerAnswer = { kind: "ok"; body: unknown } | { kind: "refused"; message: string };

export type OpencodeClient = ReturnType<typeof createOpencodeClient>;

const callMs = 30_000;
const maxEventBytes = 4 * 1024 * 1024;

/** `opencode serve` over HTTP, for one session at a time. */
export function createOpencodeClient(url: string, password: string) {
  const authorization = `Basic ${Buffer.from(`opencode:${password}`).toString("base64")}`;
  const headers = { authorization, "content-type": "application/json" };
  const call = async (method: string, path: string, body?: object): Promise<ServerAnswer> => {
    const signal = AbortSignal.timeout(callMs);
    const asked = body === undefined ? "" : JSON.stringify(body);
    const response = await ask(url + path, { method, headers, signal }, asked);
    const text = await readText(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299)
      return { kind: "refused", message: `${path}: HTTP ${status} ${text}` };
    return { kind: "ok", body: text === "" ? null : JSON.parse(text) };
  };

  return {
    /** With a title, so that it asks no model for one. */
    createSession: async (title: string): Promise<string> => {
      const answer = await call("POST", "/session", { title });
      if (answer.kind === "refused") throw new Error(answer.message);
      return sessionSchema.parse(answer.body).id;
    },
    findSession: (id: string) => call("GET", `/session/${encodeURIComponent(id)}`),
    prompt: (id: string, text: string, model: ModelRef | null) =>
      call("POST", `/session/${id}/prompt_async`, {
        parts: [{ type: "text", text }],
        ...(model === null ? {} : { model }),
      }),
    abort: (id: string) => call("POST", `/session/${id}/abort`),
    /** Resolves once the server sends them; the values are read one at a time. */
    openEvents: async (signal: AbortSignal): Promise<AsyncIterable<ServerEvent>> => {
      const response = await ask(`${url}/event`, { headers, signal }, "");
      if (response.statusCode !== 200) throw new Error(`/event: HTTP ${response.statusCode}`);
      return readEvents(response);
    },
  };
}

/** A connection of its own: the server of the next run may have this one's port, and would be sent to a dead one. */
const ask = (url: string, options: RequestOptions, body: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request(url, { ...options, agent: false }, resolve)
      .on("error", reject)
      .end(body);
  });

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

export type ModelRef = { providerID: string; modelID: string };

export type ServerEvent = { text: string } | { tooLongBytes: number };

/** Each event of this server is one line of data. */
export async function* readEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const splitter = createLineSplitter(maxEventBytes);
  for await (const chunk of stream)
    for (const line of splitter.push(Buffer.from(chunk))) {
      if (line.kind === "too_long") yield { tooLongBytes: line.bytes };
      else if (line.text.startsWith("data:")) yield { text: line.text.slice(5).trim() };
    }
}
