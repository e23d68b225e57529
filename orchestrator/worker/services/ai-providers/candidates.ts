import type { ProviderConfig } from "../../../../shared/contracts/provider.ts";
import type { CodeAgent } from "../../domain/ports/codeAgent.ts";
import type { ProviderConfigStore } from "../../domain/ports/providerConfigStore.ts";
import type { SecretSource } from "../../domain/ports/secrets.ts";
import type { Settings } from "../../domain/settings.ts";
import {
  credentialNamesOf,
  type ProviderDefinition,
  type ProviderName,
  providerNames,
  registry,
} from "./registry.ts";
import type { Candidate } from "./router.ts";

export type CandidateDeps = {
  providerConfigs: ProviderConfigStore;
  agents: Readonly<Record<ProviderName, CodeAgent>>;
  secrets: SecretSource;
  settings: Pick<Settings, "allowUnverifiedProviders">;
};

/** A provider that does not answer within this time counts as unavailable. */
export const defaultAvailabilityTimeoutMs = 3_000;

/** Every provider as it stands now: configured or not, with a key or not, reachable or not. */
export async function lookAtCandidates(
  deps: CandidateDeps,
  organizationId: string,
): Promise<Candidate[]> {
  const configs = await deps.providerConfigs.all(organizationId);
  return Promise.all(
    providerNames.map((name) => lookAtCandidate(deps, name, configs.get(name) ?? null)),
  );
}

async function lookAtCandidate(
  deps: CandidateDeps,
  name: ProviderName,
  config: ProviderConfig | null,
): Promise<Candidate> {
  const definition: ProviderDefinition = registry[name];
  const { secretNames } = credentialNamesOf(definition, config?.apiEndpoint ?? null);
  const credential = secretNames.find((secret) => deps.secrets.find(secret) !== null) ?? null;
  const allowed =
    definition.unverified !== true || deps.settings.allowUnverifiedProviders.includes(name);
  const availability = await deps.agents[name].availability(defaultAvailabilityTimeoutMs);
  return { name, definition, allowed, config, credential, availability };
}
