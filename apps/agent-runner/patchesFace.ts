import { patchRunRequestSchema } from "../../shared/contracts/runner.ts";
import { bundleRoutes } from "./bundleRoutes.ts";
import { deniedHostsRoute } from "./deniedHostsRoute.ts";
import { forgeRoutes } from "./forge/forgeRoutes.ts";
import { parseRequest } from "./http/parseRequest.ts";
import { runRoutes } from "./http/runRoutes.ts";
import { outputRoute } from "./patch-run/outputRoute.ts";
import { type PatchRunDeps, patchRunKind } from "./patch-run/patchRunKind.ts";
import type { RoleFace } from "./roleFace.ts";
import { openRunBook, type RunBookDeps } from "./runs/runBook.ts";

const largestSetBytes = 32 * 1024 * 1024;

/** The role `patches`: one patch set at a time, and the delivery into local repositories. */
export async function openPatchesFace(books: RunBookDeps, deps: PatchRunDeps): Promise<RoleFace> {
  const book = await openRunBook(books, patchRunKind(deps));
  const accept = async (body: unknown) => {
    const request = parseRequest(patchRunRequestSchema, body);
    return { fence: request.fence, accepted: request };
  };
  return {
    routes: [
      ...runRoutes({ path: "/patches", book, maxBodyBytes: largestSetBytes, accept }),
      outputRoute(book),
      deniedHostsRoute("/patches", book),
      ...bundleRoutes(deps.bundles),
      ...forgeRoutes({ roots: deps.roots, scratch: deps.bundles, patches: book }),
    ],
    live: book.live,
    agents: async () => ({}),
    shutDown: book.shutDown,
    close: book.close,
  };
}
