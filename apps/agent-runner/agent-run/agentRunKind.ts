import { randomUUID } from "node:crypto";
import type { RunReport, RunRequest } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { AgentAdapter, FoundAgent } from "../agents/agentAdapter.ts";
import type { AgentRegistry } from "../agents/registry.ts";
import { ringDoorbell } from "../doorbell.ts";
import type { StartProcess } from "../processes/guardedProcess.ts";
import type { RunUser } from "../processes/runUser.ts";
import { createRedactor, type Secrets } from "../redact.ts";
import type { InterruptedRun, RunKind } from "../runs/liveRun.ts";
import { runAgent } from "./runAgent.ts";
import { noFacts, withEvent } from "./runFacts.ts";
import type { Sessions } from "./sessions.ts";

export type AgentRunDeps = {
  agents: AgentRegistry;
  agentsDirectory: string;
  roots: readonly string[];
  bundles: string;
  runnerId: string;
  sessions: Sessions;
  /** Kept out of all that leaves, like a run's own secrets. */
  runnerSecrets: readonly Secrets[];
  keepWorkspaces: boolean;
  /** Whom agents run as, and where their workspaces are then. */
  user: RunUser | null;
  work: string | null;
  startProcess: StartProcess;
  nowMs: () => number;
};

/** A request whose agent has been looked for and found. */
export type AcceptedRun = {
  request: RunRequest;
  adapter: AgentAdapter;
  found: Extract<FoundAgent, { kind: "installed" }>;
};

export async function acceptRun(deps: AgentRunDeps, request: RunRequest): Promise<AcceptedRun> {
  const adapter = deps.agents[request.agent];
  if (adapter === undefined)
    throw new SwitchyardError("unknown_provider", `This runner knows no agent ${request.agent}.`);
  const found = await adapter.find(deps.agentsDirectory);
  if (found.kind === "missing") throw new SwitchyardError("agent_not_installed", found.message);
  return { request, adapter, found };
}

export function agentRunKind(deps: AgentRunDeps): RunKind<AcceptedRun, RunReport> {
  return {
    keep: 50,
    about: ({ adapter, found }) => ({ agent: adapter.name, version: found.version }),
    work: (live, { request, adapter, found }) => {
      const password = randomUUID();
      return runAgent({
        ...deps,
        live,
        request,
        adapter,
        found,
        password,
        redactor: createRedactor(
          request.secrets,
          request.doorbell ? { DOORBELL_TOKEN: request.doorbell.token } : {},
          { AGENT_PASSWORD: password },
          ...deps.runnerSecrets,
        ),
        markers: { runnerId: deps.runnerId, executionId: live.id, user: deps.user },
      });
    },
    failed: ({ adapter, found }) => ({
      ...emptyReport({ agent: adapter.name, version: found.version }),
      fault: { code: "internal", message: "The runner failed in a way it was not made for." },
    }),
    interrupted: reportInterrupted,
    finished: (id, { request }) => ringDoorbell(request.doorbell, { executionId: id }),
  };
}

/** What the events tell of it stands; how it would have ended nobody knows. */
async function reportInterrupted(run: InterruptedRun): Promise<RunReport> {
  let facts = noFacts;
  let lastAtMs = run.startedAtMs;
  for await (const { event, atMs } of run.events) {
    facts = withEvent(facts, event);
    lastAtMs = atMs;
  }
  const { agent = "", version = "" } = run.about;
  return {
    ...emptyReport({ agent, version }),
    ...facts,
    agentVersion: version,
    stoppedBy: "shutdown",
    durationMs: Math.max(0, lastAtMs - run.startedAtMs),
    fault: {
      code: "internal",
      message:
        "The runner ended while the run was live; it was started anew and the agent is gone.",
    },
  };
}

const emptyReport = ({ agent, version }: { agent: string; version: string }): RunReport => ({
  ...noFacts,
  agent,
  agentVersion: version,
  stoppedBy: null,
  fault: null,
  treeId: null,
  patch: null,
  durationMs: 0,
});
