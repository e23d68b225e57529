import { randomUUID } from "node:crypto";
import { chmod, mkdir, realpath } from "node:fs/promises";
import { type RunnerHealth, runnerProtocols } from "../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../shared/errors.ts";
import { createSessions } from "./agent-run/sessions.ts";
import type { AcpAgent } from "./agents/acp/acpConfig.ts";
import { withAcpAgents } from "./agents/acp/withAcpAgents.ts";
import { type AgentRegistry, agentRegistry } from "./agents/registry.ts";
import { openAgentsFace } from "./agentsFace.ts";
import { checkGitVersion } from "./git/version.ts";
import { openHttpFace } from "./http/httpServer.ts";
import type { Route } from "./http/router.ts";
import { type Log, stderrLog } from "./log.ts";
import type { RunnerOptions } from "./options.ts";
import { openPatchesFace } from "./patchesFace.ts";
import { runnerMarker } from "./processes/environment.ts";
import { startGuarded } from "./processes/guardedProcess.ts";
import { endMarked } from "./processes/reaper.ts";
import type { RunUser } from "./processes/runUser.ts";
import { createRedactor, type Secrets } from "./redact.ts";
import type { RoleFace } from "./roleFace.ts";
import type { RunBookDeps } from "./runs/runBook.ts";
import { openStateDirectory, type StateDirectory } from "./state/stateDirectory.ts";

export type RunnerSetup = Omit<
  RunnerOptions,
  "exitWithParent" | "maskFile" | "acpAgentsFile" | "user" | "work"
> & {
  token: string;
  user?: RunUser | null;
  work?: string | null;
  /** Secrets of others, by name, to be kept out of all that leaves as well. */
  masked?: Secrets;
  keepWorkspaces: boolean;
  /** Agents by configuration, beside those that the runner knows by itself. */
  acpAgents?: readonly AcpAgent[];
  /** Other agents than the real ones, for tests. */
  registry?: AgentRegistry;
  log?: Log;
};

export type Runner = {
  url: string;
  role: RunnerOptions["role"];
  /** Stops the live run, lets readers have its last events, and ends. */
  close(): Promise<void>;
};

const lastAnswersMs = 5000;

/** Starts a runner: what a runner before it left behind is ended and reported first. */
export async function startRunner(setup: RunnerSetup): Promise<Runner> {
  const redactor = createRedactor(...secretsOf(setup));
  const log: Log = (entry) => (setup.log ?? stderrLog)(redactor.json(entry));
  await checkGitVersion();
  const state = await openStateDirectory(setup.state);
  try {
    await endMarked([runnerMarker(state.runnerId)], { user: setup.user ?? null });
    if (setup.work) await openWorkFolder(setup.work);
    const boot = randomUUID();
    const role = await openRole(setup, state, { boot, nowMs: Date.now, log });
    const { host, port, token } = setup;
    const routes = [healthRoute(setup.role, boot, role), ...role.routes];
    const face = await openHttpFace({ routes, token, host, port, log });
    const close = async () => {
      await role.shutDown();
      await face.close(lastAnswersMs);
      await role.close();
      await state.release();
    };
    return { url: face.url, role: setup.role, close: once(close) };
  } catch (error) {
    await state.release();
    throw error;
  }
}

async function openRole(
  setup: RunnerSetup,
  state: StateDirectory,
  books: Omit<RunBookDeps, "root">,
): Promise<RoleFace> {
  const shared = {
    roots: await Promise.all(setup.repositories.map(realRoot)),
    runnerId: state.runnerId,
    runnerSecrets: secretsOf(setup),
    keepWorkspaces: setup.keepWorkspaces,
    nowMs: books.nowMs,
    user: setup.user ?? null,
    work: setup.work ?? null,
    bundles: state.bundles,
  };
  if (setup.role === "patches") return openPatchesFace({ ...books, root: state.patches }, shared);
  return openAgentsFace(
    { ...books, root: state.runs },
    {
      ...shared,
      agents: withAcpAgents(setup.registry ?? agentRegistry, setup.acpAgents ?? []),
      agentsDirectory: setup.agents,
      sessions: createSessions(state.sessions),
      startProcess: startGuarded,
    },
  );
}

/** Whoever works below it may pass through, and sees nothing of what else is there. */
async function openWorkFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o711);
}

const secretsOf = ({ token, masked = {} }: RunnerSetup): Secrets[] => [
  { RUNNER_TOKEN: token },
  masked,
];

const realRoot = (path: string): Promise<string> =>
  realpath(path).catch(() => {
    throw new SwitchyardError("invalid_request", `--repo ${path}: there is no such directory.`);
  });

const healthRoute = (role: RunnerOptions["role"], boot: string, face: RoleFace): Route => ({
  method: "GET",
  path: "/health",
  handle: async (): Promise<RunnerHealth> => ({
    protocols: [...runnerProtocols],
    role,
    agents: await face.agents(),
    live: face.live(),
    boot,
  }),
});

function once(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | null = null;
  return () => {
    closed ??= close();
    return closed;
  };
}
