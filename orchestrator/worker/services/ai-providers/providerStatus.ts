import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { ProviderConfig, ProviderStatus } from "../../../../shared/contracts/provider.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { judgeEndpoint } from "../../domain/addressPolicy.ts";
import { factoryOf } from "../../domain/placement.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { ExecutionStore } from "../../domain/ports/executionStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { type CandidateDeps, lookAtCandidates } from "./candidates.ts";
import { type Candidate, route } from "./router.ts";

export type StatusDeps = CandidateDeps & { executions: ExecutionStore };

export async function listProviderStatus(
  deps: StatusDeps,
  principal: Principal,
): Promise<ProviderStatus[]> {
  const candidates = await candidatesFor(deps, principal);
  return Promise.all(
    candidates.map((candidate) => statusOf(deps, principal.organizationId, candidate)),
  );
}

export async function getProviderStatus(
  deps: StatusDeps,
  principal: Principal,
  name: string,
): Promise<ProviderStatus> {
  const candidates = await candidatesFor(deps, principal);
  const candidate = candidates.find((one) => one.name === name);
  if (candidate === undefined) throw providerNotFound(deps, name);
  return statusOf(deps, principal.organizationId, candidate);
}

/** As they stand for whoever asks: a factory with containers of its own sees the agents of its image. */
const candidatesFor = (deps: StatusDeps, { organizationId, id }: Principal) =>
  lookAtCandidates(deps, organizationId, factoryOf(deps.factories, organizationId, id));

type ConfigureSettings = CandidateDeps["settings"] &
  Pick<Settings, "allowedEndpoints" | "localMode">;

/** Sets what an organization wants of a provider; the whole configuration is replaced. */
export async function configureProvider(
  deps: StatusDeps & { clock: Clock; settings: ConfigureSettings },
  principal: Principal,
  name: string,
  config: ProviderConfig,
): Promise<ProviderStatus> {
  if (!deps.providers.has(name)) throw providerNotFound(deps, name);
  if (config.apiEndpoint !== null) {
    const { allowedEndpoints, localMode } = deps.settings;
    const verdict = judgeEndpoint(config.apiEndpoint, allowedEndpoints, localMode);
    if (verdict.kind === "refused")
      throw new SwitchyardError("endpoint_not_allowed", `apiEndpoint: ${verdict.because}.`);
  }
  await deps.providerConfigs.put(principal.organizationId, name, config, deps.clock.nowMs(), {
    actor: principal.id,
    action: "provider.configured",
    message: `${principal.id} configured ${name}.`,
    details: { config },
  });
  return getProviderStatus(deps, principal, name);
}

const providerNotFound = (
  { providers }: Pick<StatusDeps, "providers">,
  name: string,
): SwitchyardError =>
  new SwitchyardError(
    "provider_not_found",
    `There is no provider "${name}". Use one of: ${[...providers.keys()].join(", ")}.`,
  );

async function statusOf(
  deps: StatusDeps,
  organizationId: string,
  candidate: Candidate,
): Promise<ProviderStatus> {
  const { name, definition, config, availability } = candidate;
  const [sourceKind] = definition.capabilities.sources;
  const decision = route(
    {
      sourceKind: sourceKind ?? "local",
      override: name,
      allowFallback: false,
      preference: null,
      exhausted: [],
    },
    [candidate],
  );
  return {
    name,
    type: definition.type,
    unverified: definition.unverified ?? false,
    enabled: config?.enabled ?? true,
    available: decision.kind === "assign",
    because: decision.considered[0]?.because ?? decision.because,
    version: availability.kind === "available" ? availability.version : null,
    liveExecutions: await deps.executions.countLive(organizationId, name),
    capabilities: {
      ...definition.capabilities,
      sources: [...definition.capabilities.sources],
    },
    defaultModel: config?.defaultModel ?? null,
    apiEndpoint: config?.apiEndpoint ?? null,
  };
}
