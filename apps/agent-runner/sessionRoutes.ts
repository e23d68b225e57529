import { createReadStream } from "node:fs";
import { mkdtemp, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import { type RunStatus, runReportSchema } from "../../shared/contracts/runner.ts";
import {
  sessionBytesHeader,
  sessionFormat,
  sessionLimits,
  type sessionStoredSchema,
} from "../../shared/contracts/sessionArchive.ts";
import { SwitchyardError } from "../../shared/errors.ts";
import { packSession, unpackSession } from "./agent-run/sessionArchive.ts";
import type { Sessions } from "./agent-run/sessions.ts";
import type { AgentRegistry } from "./agents/registry.ts";
import { checkRunId } from "./http/parseRequest.ts";
import { readIntoFile } from "./http/readFile.ts";
import type { Call, Route } from "./http/router.ts";
import { removeTree } from "./state/removeTree.ts";

export type SessionDeps = {
  sessions: Sessions;
  agents: AgentRegistry;
  /** A folder for what lives as long as one call. */
  scratch: string;
  runs: {
    knows(id: string): boolean;
    result(id: string): Promise<RunStatus & { report: unknown }>;
  };
};

/** The way of a session from a runner that ends with its run to the one that goes on with it. */
export const sessionRoutes = (deps: SessionDeps): Route[] => [
  { method: "GET", path: "/runs/:id/session", handle: (call) => answerSession(deps, call) },
  { method: "PUT", path: "/runs/:id/session", handle: (call) => storeSession(deps, call) },
];

const reportedSession = runReportSchema.pick({ agent: true, sessionId: true });

/** The answer is the archive itself; what is kept has been redacted when the run ended. */
async function answerSession(deps: SessionDeps, { id, response }: Call): Promise<undefined> {
  const { state, report } = await deps.runs.result(id);
  if (state === "live")
    throw new SwitchyardError("busy", `${id} is not finished; ask again later.`);
  const { agent, sessionId } = reportedSession.parse(report);
  const began = sessionId === null ? null : await deps.sessions.find(agent, sessionId);
  if (sessionId === null || began === null)
    throw new SwitchyardError("session_not_found", `No session of ${id} is kept.`);
  const head = { format: sessionFormat, agent, id: sessionId, ...began } as const;
  await withFolder(deps.scratch, async (folder) => {
    const file = join(folder, "session.ndjson");
    await packSession(head, deps.sessions.homeOf(agent, sessionId), file);
    response.writeHead(200, {
      "content-type": "application/x-ndjson",
      [sessionBytesHeader]: (await stat(file)).size,
    });
    await pipeline(createReadStream(file), response).catch(() => response.destroy());
  });
}

/** Looks last whether the run has begun: a caller may have given up long before its body is here. */
async function storeSession(
  { sessions, agents, scratch, runs }: SessionDeps,
  { id, request }: Call,
): Promise<z.infer<typeof sessionStoredSchema>> {
  checkRunId(id);
  return withFolder(scratch, async (folder) => {
    const file = join(folder, "session.ndjson");
    await readIntoFile(request, file, sessionLimits.archiveBytes);
    const home = join(folder, "home");
    const head = await unpackSession(file, home, ({ agent }) => sessionPathsOf(agents, agent));
    if (runs.knows(id)) return { stored: false };
    await sessions.adopt(head, home);
    return { stored: true };
  });
}

function sessionPathsOf(agents: AgentRegistry, name: string): readonly string[] {
  const adapter = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (adapter !== undefined) return adapter.sessionPaths;
  throw new SwitchyardError("unknown_provider", `This runner knows no agent ${name}.`);
}

async function withFolder<Value>(
  scratch: string,
  work: (folder: string) => Promise<Value>,
): Promise<Value> {
  const folder = await mkdtemp(join(scratch, "session-"));
  try {
    return await work(folder);
  } finally {
    await removeTree(folder);
  }
}
