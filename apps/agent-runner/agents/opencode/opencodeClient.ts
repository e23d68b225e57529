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
  const call = async (method: string, path: string, body?: object): Promise<ServerAnswer> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization, "content-type": "application/json" },
      signal: AbortSignal.timeout(callMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      return { kind: "refused", message: `${path}: HTTP ${response.status} ${text}` };
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
    /** Resolves once the server listens; the values are read one at a time. */
    openEvents: async (signal: AbortSignal): Promise<AsyncIterable<ServerEvent>> => {
      const response = await fetch(`${url}/event`, { headers: { authorization }, signal });
      if (!response.ok || response.body === null)
        throw new Error(`/event: HTTP ${response.status}`);
      return readEvents(response.body);
    },
  };
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
