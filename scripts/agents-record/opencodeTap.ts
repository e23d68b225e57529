import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createLineSplitter } from "../../apps/agent-runner/agents/jsonLines.ts";
import type { Tap } from "./recordTalk.ts";

const listening = /http:\/\/\S+/;
const maxEventBytes = 4 * 1024 * 1024;

type ServerEvent = {
  type?: string;
  properties?: {
    sessionID?: string;
    info?: { sessionID?: string };
    part?: { type?: string; sessionID?: string; state?: { status?: string } };
  };
};

/** Overhears `opencode serve` by standing between it and whoever talks with it. */
export function opencodeTap(): Tap {
  const lines: string[] = [];
  const servers: ReturnType<typeof createServer>[] = [];
  return {
    sent: () => {},
    async heard(text) {
      const url = listening.exec(text)?.[0];
      if (url === undefined) {
        lines.push(text);
        return text;
      }
      const server = createServer((asked, answer) => pass(url, asked, answer, lines));
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return text.replace(url, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    },
    lines: () => lines,
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function pass(url: string, asked: IncomingMessage, answer: ServerResponse, lines: string[]): void {
  const { method = "GET", headers, url: path = "/" } = asked;
  const forwarded = request(url + path, { method, headers, agent: false }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    if (path === "/event") overhearEvents(response, lines);
    else lines.push(JSON.stringify({ type: `${method} ${nameOf(path)} ${response.statusCode}` }));
    response.pipe(answer);
  });
  forwarded.on("error", () => answer.destroy());
  answer.on("close", () => forwarded.destroy());
  asked.pipe(forwarded);
}

const nameOf = (path: string): string => path.replace(/ses_\w+/, "*");

function overhearEvents(response: IncomingMessage, lines: string[]): void {
  const splitter = createLineSplitter(maxEventBytes);
  response.on("data", (chunk: Buffer) => {
    for (const line of splitter.push(chunk))
      if (line.kind === "line" && line.text.startsWith("data:"))
        lines.push(...typedEvent(JSON.parse(line.text.slice(5)) as ServerEvent));
  });
}

/** What is not of a session, such as plugins that load, comes as it likes. */
function typedEvent(event: ServerEvent): string[] {
  const { type = "(no type)", properties = {} } = event;
  const { sessionID, info, part } = properties;
  if (sessionID === undefined && info?.sessionID === undefined && part?.sessionID === undefined)
    return [];
  const parts = [type, part?.type, part?.state?.status].filter((one) => one !== undefined);
  return [JSON.stringify({ ...event, type: parts.join("/") })];
}
