import type { ProviderConfig } from "../../../../shared/contracts/provider.ts";
import type { CodeAgent } from "../../domain/ports/codeAgent.ts";
import type { ProviderConfigStore } from "../../domain/ports/providerConfigStore.ts";
import type { SecretSource } from "../../domain/ports/secrets.ts";
import { type ProviderName, providerNames, registry } from "./registry.ts";
import type { Candidate } from "./router.ts";

export type CandidateDeps = {
  providerConfigs: ProviderConfigStore;
  agents: Readonly<Record<ProviderName, CodeAgent>>;
  secrets: SecretSource;
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
  const definition = registry[name];
  const credential =
    definition.secretNames.find((secret) => deps.secrets.find(secret) !== null) ?? null;
  const availability = await deps.agents[name].availability(defaultAvailabilityTimeoutMs);
  return { name, definition, config, credential, availability };
}
