import { type RunRequest, runRequestSchema } from "../../shared/contracts/runner.ts";
import {
  type AcceptedRun,
  type AgentRunDeps,
  acceptRun,
  agentRunKind,
} from "./agent-run/agentRunKind.ts";
import { clearAllRunFolders } from "./agent-run/places.ts";
import { bundleRoutes } from "./bundleRoutes.ts";
import { deniedHostsRoute } from "./deniedHostsRoute.ts";
import { checkPrompt, checkSecretNames, parseRequest } from "./http/parseRequest.ts";
import { runRoutes, smallBodyBytes } from "./http/runRoutes.ts";
import type { RoleFace } from "./roleFace.ts";
import { openRunBook, type RunBookDeps } from "./runs/runBook.ts";
import { sessionRoutes } from "./sessionRoutes.ts";

/** The role `agents`: one coding agent at a time. */
export async function openAgentsFace(books: RunBookDeps, deps: AgentRunDeps): Promise<RoleFace> {
  if (!deps.keepWorkspaces) await clearAllRunFolders(books.root, deps.work);
  const book = await openRunBook(books, agentRunKind(deps));
  const accept = async (body: unknown): Promise<{ fence: number; accepted: AcceptedRun }> => {
    const request: RunRequest = parseRequest(runRequestSchema, body);
    checkPrompt(request.prompt);
    checkSecretNames(request.secrets);
    return { fence: request.fence, accepted: await acceptRun(deps, request) };
  };
  return {
    routes: [
      ...runRoutes({ path: "/runs", book, maxBodyBytes: smallBodyBytes, accept }),
      ...bundleRoutes(deps.bundles),
      ...sessionRoutes({ ...deps, scratch: deps.bundles, runs: book }),
      deniedHostsRoute("/runs", book),
    ],
    live: book.live,
    agents: () => installedAgents(deps),
    shutDown: book.shutDown,
    close: book.close,
  };
}

async function installedAgents({ agents, agentsDirectory }: AgentRunDeps) {
  const versions: Record<string, { version: string }> = {};
  for (const [name, adapter] of Object.entries(agents)) {
    const found = await adapter.find(agentsDirectory);
    if (found.kind === "installed") versions[name] = { version: found.version };
  }
  return versions;
}
