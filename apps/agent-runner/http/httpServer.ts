import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { Log } from "../log.ts";
import { answerError, answerValue } from "./answers.ts";
import { findRoute, type Route } from "./router.ts";

export type HttpFace = {
  url: string;
  /** Takes no new call; settles when those under way are answered, or are cut off after this time. */
  close(graceMs: number): Promise<void>;
};

export type HttpFaceDeps = {
  routes: readonly Route[];
  token: string;
  host: string;
  port: number;
  log: Log;
};

export async function openHttpFace(deps: HttpFaceDeps): Promise<HttpFace> {
  const busy = new Set<Socket>();
  const server = createServer((request, response) => {
    busy.add(request.socket);
    response.once("close", () => busy.delete(request.socket));
    void answer(deps, request, response);
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(deps.port, deps.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = deps.host.includes(":") ? `[${deps.host}]` : deps.host;
  return {
    url: `http://${host}:${port}`,
    close: (graceMs) => close(server, sockets, busy, graceMs),
  };
}

async function answer(
  { routes, token, log }: HttpFaceDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    checkToken(request.headers.authorization, token);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://runner");
    const { route, id } = findRoute(routes, request.method ?? "", pathname);
    const value = await route.handle({ id, query: searchParams, request, response });
    if (value !== undefined) answerValue(response, value);
  } catch (error) {
    answerError(response, error, log);
    request.resume();
  }
}

/** Digests have one length and tell nothing by where they differ. */
function checkToken(header: string | undefined, token: string): void {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`))) return;
  throw new SwitchyardError("unauthenticated", "The runner needs its bearer token.");
}

/** Callers keep connections open, also some that no request came over yet; none of them is waited for. */
async function close(
  server: Server,
  sockets: ReadonlySet<Socket>,
  busy: ReadonlySet<Socket>,
  graceMs: number,
): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const idle = setInterval(() => {
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
  }, 10);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
