import { bootHeader, cancelRequestSchema } from "../../../shared/contracts/runner.ts";
import type { RunBook } from "../runs/runBook.ts";
import { checkProtocol, checkRunId, parseCount, parseRequest } from "./parseRequest.ts";
import { readJson } from "./readBody.ts";
import type { Call, Route } from "./router.ts";
import { streamEvents } from "./streamEvents.ts";

const longestWaitMs = 60_000;
export const smallBodyBytes = 8 * 1024 * 1024;

export type RunFace<Accepted> = {
  /** "/runs" or "/patches". */
  path: string;
  book: RunBook<Accepted>;
  maxBodyBytes: number;
  /** Checks a body and says what is to be done, and for which fence. */
  accept(body: unknown, id: string): Promise<{ fence: number; accepted: Accepted }>;
};

/** The four routes that runs of every kind have. */
export function runRoutes<Accepted>(face: RunFace<Accepted>): Route[] {
  const { path, book } = face;
  return [
    { method: "PUT", path: `${path}/:id`, handle: (call) => put(face, call) },
    { method: "GET", path: `${path}/:id/result`, handle: ({ id }) => book.result(id) },
    {
      method: "GET",
      path: `${path}/:id/events`,
      handle: ({ id, query, response }) => {
        const after = parseCount(query, "after");
        const waitMs = Math.min(parseCount(query, "waitMs"), longestWaitMs);
        return streamEvents(book.events(id), { after, waitMs }, response);
      },
    },
    {
      method: "POST",
      path: `${path}/:id/cancel`,
      handle: async ({ id, request }) => {
        const body = parseRequest(cancelRequestSchema, await readJson(request, smallBodyBytes));
        return book.cancel(id, body.fence, body.reason);
      },
    },
  ];
}

async function put<Accepted>(face: RunFace<Accepted>, { id, request }: Call): Promise<unknown> {
  const body = await readJson(request, face.maxBodyBytes);
  checkProtocol(body);
  const { fence, accepted } = await face.accept(body, checkRunId(id));
  const boot = request.headers[bootHeader];
  return face.book.put(id, fence, accepted, typeof boot === "string" ? boot : undefined);
}
