import { deniedHostSchema } from "../../shared/contracts/runner.ts";
import { parseRequest } from "./http/parseRequest.ts";
import { readJson } from "./http/readBody.ts";
import type { Route } from "./http/router.ts";
import { smallBodyBytes } from "./http/runRoutes.ts";
import type { RunBook } from "./runs/runBook.ts";

/** Whoever guards the network of a live run tells what it was denied. */
export const deniedHostsRoute = (
  path: "/runs" | "/patches",
  book: Pick<RunBook<unknown>, "note">,
): Route => ({
  method: "POST",
  path: `${path}/:id/denied-hosts`,
  handle: async ({ id, request }) => {
    const denied = parseRequest(deniedHostSchema, await readJson(request, smallBodyBytes));
    await book.note(id, { type: "egress_denied", ...denied });
    return {};
  },
});
