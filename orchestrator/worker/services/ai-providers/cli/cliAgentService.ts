import { currentRunnerProtocol, type RunRequest } from "../../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { maxPatchBytes } from "../../../domain/limits.ts";
import type { FactoryRef } from "../../../domain/placement.ts";
import type {
  AgentAvailability,
  AgentCapabilities,
  AgentRequest,
  CodeAgent,
} from "../../../domain/ports/codeAgent.ts";
import type { Runner } from "../../../domain/ports/runner.ts";

export type CliAgent = {
  /** Its name on the runner, which is the name of its provider. */
  name: string;
  capabilities: AgentCapabilities;
  /** Where its program reads the key; another one where it is pointed at another service. */
  credentialVariable: string;
  ownService?: { credentialVariable: string };
  modelService?: string;
  knowsOwnService?: boolean;
  /** Only where the deployment allows it. */
  keyInside?: { hosts: readonly string[] } | undefined;
};

/** The runner in a factory's containers, or the deployment's own; null = there is none. */
export type RunnerAt = (factory: FactoryRef | null) => Runner | null;

/**
 * A coding agent that is a command-line program, driven by a runner. Without a runner it is unavailable. A start
 * names the runner's boot: one that is still under way when the runner is lost must not start a second agent.
 */
export function cliAgentService(agent: CliAgent, runnerAt: RunnerAt): CodeAgent {
  const reached = (factory: FactoryRef | null): Runner => {
    const runner = runnerAt(factory);
    if (runner !== null) return runner;
    throw new SwitchyardError("runner_unreachable", noRunner(factory));
  };
  return {
    name: agent.name,
    capabilities: agent.capabilities,
    availability: (timeoutMs, factory = null) =>
      probe(agent.name, runnerAt(factory), noRunner(factory), timeoutMs),

    async start(request) {
      refuseBadRequest(request);
      const { executionId, fence, factory } = request;
      const runner = reached(factory);
      const { boot } = await runner.health(healthTimeoutMs);
      const outside = {
        organizationId: request.organizationId,
        ...(request.sessionTaskId === undefined ? {} : { sessionTaskId: request.sessionTaskId }),
        credentialName: request.credentialName,
        modelService: agent.modelService ?? null,
        knowsOwnService: agent.knowsOwnService ?? false,
        // A factory is given no key, whatever the deployment allows its own containers.
        keyInsideHosts: factory === null ? (agent.keyInside?.hosts ?? null) : null,
        allowedHosts: request.allowedHosts,
      };
      const start = { outside, ...(boot === undefined ? {} : { boot }) };
      await runner.startRun(executionId, runRequestOf(agent, request), start);
      return { executionId, fence, factory };
    },

    follow: ({ executionId, factory }, options) =>
      reached(factory).follow("runs", executionId, options),

    async progress({ executionId, factory }) {
      const result = await reached(factory).runResult(executionId);
      if (result.report === null) return { kind: "live", lastEvent: result.lastEvent };
      return { kind: "finished", lastEvent: result.lastEvent, report: result.report };
    },

    async cancel({ executionId, fence, factory }, reason) {
      await reached(factory).cancel("runs", executionId, fence, reason);
    },

    sessionKeeper({ executionId, factory }) {
      const keepSession = agent.capabilities.resume ? runnerAt(factory)?.keepSession : undefined;
      if (keepSession === undefined) return null;
      return (session) => keepSession(executionId, { ...session, agent: agent.name });
    },

    async release({ executionId, factory }) {
      await runnerAt(factory)?.release?.(executionId);
    },
  };
}

const healthTimeoutMs = 15_000;

const runRequestOf = (agent: CliAgent, request: AgentRequest): RunRequest => ({
  protocol: currentRunnerProtocol,
  fence: request.fence,
  taskId: request.taskId,
  agent: agent.name,
  prompt: request.prompt,
  ...(request.model === null ? {} : { model: request.model }),
  source: request.source,
  limits: {
    wallClockMs: request.limits.wallClockMs,
    silenceMs: request.limits.silenceMs,
    maxPatchBytes,
  },
  ...(request.sessionId === null ? {} : { session: sessionOf(request.sessionId, request) }),
  ...(request.endpoint === null ? {} : { endpoint: request.endpoint }),
  secrets: { [variableOf(agent, request)]: request.credential.reveal() },
  ...(request.doorbell === null ? {} : { doorbell: request.doorbell }),
});

const sessionOf = (id: string, { sessionTaskId }: AgentRequest) =>
  sessionTaskId === undefined ? { id } : { id, orNew: true as const };

const variableOf = (agent: CliAgent, { endpoint }: AgentRequest): string =>
  (endpoint === null ? agent : (agent.ownService ?? agent)).credentialVariable;

const noRunner = (factory: FactoryRef | null): string =>
  factory === null
    ? "no runner is configured: set RUNNER_URL and the secret RUNNER_TOKEN"
    : `the factory "${factory.factory}" is not in FACTORY_CONTAINERS any more`;

async function probe(
  name: string,
  runner: Runner | null,
  without: string,
  timeoutMs: number,
): Promise<AgentAvailability> {
  if (runner === null) return { kind: "unavailable", code: "runner_unreachable", because: without };
  try {
    const { agents, protocols } = await runner.health(timeoutMs);
    if (!protocols.includes(currentRunnerProtocol))
      return {
        kind: "unavailable",
        code: "protocol_unsupported",
        because: `the runner speaks ${protocols.join(", ") || "no protocol"}, and Switchyard speaks ${currentRunnerProtocol}: update whichever is older`,
      };
    const installed = agents[name];
    if (installed !== undefined) return { kind: "available", version: installed.version };
    return {
      kind: "unavailable",
      code: "agent_not_installed",
      because: `the runner has no ${name} installed`,
    };
  } catch (error) {
    const because = error instanceof Error ? error.message : "the runner does not answer";
    return { kind: "unavailable", code: "runner_unreachable", because };
  }
}

function refuseBadRequest({ prompt, limits }: AgentRequest): void {
  if (prompt.trim() === "")
    throw new SwitchyardError("prompt_required", "The prompt is empty: say what to do.");
  for (const limit of [limits.wallClockMs, limits.silenceMs])
    if (!Number.isInteger(limit) || limit < 1 || limit > 86_400_000)
      throw new SwitchyardError("invalid_timeout", "A limit must be between 1 ms and one day.");
}
