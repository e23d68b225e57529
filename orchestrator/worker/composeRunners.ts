import { findFactory } from "./domain/placement.ts";
import type { AgentContainers } from "./domain/ports/agentContainers.ts";
import type { Runner } from "./domain/ports/runner.ts";
import { Secret } from "./domain/ports/secrets.ts";
import type { Deployment, Env, RegisteredFactory } from "./env.ts";
import { cloudflareContainers } from "./platform/agentContainers.ts";
import { r2Archives } from "./platform/artifacts.ts";
import { agentsOfFactory, factoryContainers } from "./platform/factoryContainers.ts";
import type { RunnerAt } from "./services/ai-providers/cli/cliAgentService.ts";
import type { ValidatorOf } from "./services/patch-manager/validators.ts";
import {
  type ContainerRunnerDeps,
  containerRunner,
} from "./services/runners/container/containerRunner.ts";
import { putBundle, takeBundle } from "./services/runners/http/bundles.ts";
import { httpRunner } from "./services/runners/http/httpRunner.ts";
import type { RunnerAddress } from "./services/runners/http/request.ts";
import { putSession, takeSession } from "./services/runners/http/sessions.ts";
import { factoryRefOf } from "./services/supervision/deps.ts";

/** Where agents run: on this deployment's own runner, or in the containers of a registered factory. */
export function runnersOf(env: Env, deployment: Deployment): RunnerAt {
  const own = ownRunner(env, deployment);
  return (ref) => {
    if (ref === null) return own;
    const factory = findFactory(deployment.factories, ref);
    return factory && runnerOfFactory(env, deployment, factory);
  };
}

/** Where the project's commands run: where the attempt's agent has worked, or would have. */
export const validatorsOf =
  ({ settings }: Deployment, runnerAt: RunnerAt): ValidatorOf =>
  ({ organizationId, factory }) => {
    const ref = factoryRefOf(organizationId, factory);
    if (ref === null && settings.agentRuntime === "runner") return { kind: "runner_of_patches" };
    const runner = runnerAt(ref);
    return runner === null
      ? { kind: "gone", because: `the factory "${factory}" is not in FACTORY_CONTAINERS any more` }
      : { kind: "containers", runner };
  };

/** Null where no runner of patches is configured. */
export const patchRunnerOf = ({ patchRunnerUrl, secrets }: Deployment): RunnerAddress | null =>
  patchRunnerUrl === null ? null : addressOf(patchRunnerUrl, secrets, "PATCH_RUNNER_TOKEN");

/** Without anywhere to run, agents are unavailable, which their status says. */
function ownRunner(env: Env, deployment: Deployment): Runner | null {
  const { settings, containerAgents, runnerUrl, secrets } = deployment;
  if (settings.agentRuntime === "runner")
    return runnerUrl === null ? null : httpRunner(addressOf(runnerUrl, secrets, "RUNNER_TOKEN"));
  return inContainers(env, deployment, {
    containers: cloudflareContainers(env.AGENT_CONTAINER),
    agents: async () => containerAgents,
    addressIn: (executionId) => ({
      url: "http://container",
      token: noToken,
      fetch: (url, init) => env.AGENT_CONTAINER.getByName(executionId).fetch(url, init),
    }),
  });
}

function runnerOfFactory(env: Env, deployment: Deployment, factory: RegisteredFactory): Runner {
  const { service, ...ref } = factory;
  return inContainers(env, deployment, {
    containers: factoryContainers(service, env.EGRESS_GUARD, ref),
    agents: (timeoutMs) => agentsOfFactory(service, timeoutMs),
    addressIn: (executionId) => ({
      url: `http://factory/${encodeURIComponent(executionId)}`,
      token: noToken,
      fetch: (url, init) => service.fetch(new Request(url, init)),
    }),
  });
}

/** The object of a container puts the token of its runner on. */
const noToken = new Secret("");

type ContainerPlace = {
  containers: AgentContainers;
  agents: ContainerRunnerDeps["agents"];
  addressIn(executionId: string): RunnerAddress;
};

function inContainers(
  env: Env,
  deployment: Deployment,
  { containers, agents, addressIn }: ContainerPlace,
): Runner {
  const patches = patchRunnerOf(deployment);
  return containerRunner({
    containers,
    agents,
    runnerOf: (executionId) => ({
      ...httpRunner(addressIn(executionId)),
      putBundle: (name, body) => putBundle(addressIn(executionId), name, body),
      putSession: (id, body) => putSession(addressIn(executionId), id, body),
      takeSession: (id, store) => takeSession(addressIn(executionId), id, store),
    }),
    archives: r2Archives(env.ARTIFACTS),
    bundleOf: patches && ((source) => takeBundle(patches, source)),
  });
}

function addressOf(
  url: string,
  secrets: ReadonlyMap<string, string>,
  tokenName: string,
): RunnerAddress {
  return { url: url.replace(/\/$/, ""), token: new Secret(secrets.get(tokenName) ?? "") };
}
