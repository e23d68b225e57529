import type { ProviderConfig } from "../../../../shared/contracts/provider.ts";
import type { FactoryRef } from "../../domain/placement.ts";
import type { AgentAvailability, CodeAgent } from "../../domain/ports/codeAgent.ts";
import type { ProviderConfigStore } from "../../domain/ports/providerConfigStore.ts";
import type { SecretSource } from "../../domain/ports/secrets.ts";
import type { Settings } from "../../domain/settings.ts";
import {
  credentialNamesOf,
  keyPlaceOf,
  type ProviderDefinition,
  type Providers,
} from "./registry.ts";
import type { Candidate } from "./router.ts";

export type CandidateDeps = {
  providerConfigs: ProviderConfigStore;
  providers: Providers;
  agents: ReadonlyMap<string, CodeAgent>;
  secrets: SecretSource;
  settings: Pick<Settings, "allowUnverifiedProviders" | "agentRuntime" | "allowKeysInContainers">;
  /** Factories with containers of their own. */
  factories: readonly FactoryRef[];
};

/** A provider that does not answer within this time counts as unavailable. */
export const defaultAvailabilityTimeoutMs = 3_000;

const noAgent: AgentAvailability = {
  kind: "unavailable",
  code: "agent_not_installed",
  because: "nothing drives it",
};

/** Every provider as it stands now, on that runner: configured or not, with a key or not, reachable or not. */
export async function lookAtCandidates(
  deps: CandidateDeps,
  organizationId: string,
  factory: FactoryRef | null,
): Promise<Candidate[]> {
  const configs = await deps.providerConfigs.all(organizationId);
  return Promise.all(
    [...deps.providers].map(([name, definition]) =>
      lookAtCandidate(deps, name, definition, configs.get(name) ?? null, factory),
    ),
  );
}

async function lookAtCandidate(
  deps: CandidateDeps,
  name: string,
  definition: ProviderDefinition,
  config: ProviderConfig | null,
  factory: FactoryRef | null,
): Promise<Candidate> {
  const endpoint = config?.apiEndpoint ?? null;
  const { secretNames } = credentialNamesOf(definition, endpoint);
  const credential = secretNames.find((secret) => deps.secrets.find(secret) !== null) ?? null;
  const allowed =
    definition.unverified !== true || deps.settings.allowUnverifiedProviders.includes(name);
  const { agentRuntime, allowKeysInContainers } = deps.settings;
  const keyPlace =
    agentRuntime === "container" || factory !== null
      ? keyPlaceOf(name, definition, endpoint, factory === null ? allowKeysInContainers : [])
      : null;
  const agent = deps.agents.get(name);
  const availability =
    (await agent?.availability(defaultAvailabilityTimeoutMs, factory)) ?? noAgent;
  return { name, definition, allowed, config, credential, keyPlace, availability };
}
