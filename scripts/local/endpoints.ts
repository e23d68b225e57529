import {
  type ProviderName,
  providerNames,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import type { Client } from "../demo/client.ts";

/** Where an agent's own users point it at another model service, such as a gateway of their company. */
const variables: Record<ProviderName, string | null> = {
  "claude-code": "ANTHROPIC_BASE_URL",
  gemini: "GOOGLE_GEMINI_BASE_URL",
  codex: "OPENAI_BASE_URL",
  copilot: "COPILOT_PROVIDER_BASE_URL",
  opencode: "OPENCODE_BASE_URL",
  cursor: null,
};

export const endpointVariables: readonly string[] = Object.values(variables).filter(
  (name) => name !== null,
);

type EndpointClient = {
  providers: Client["providers"];
  putProvider(name: string, config: object): Promise<unknown>;
};

type Environment = Readonly<Record<string, string | undefined>>;

export function findEndpoint(
  provider: ProviderName,
  env: Environment = process.env,
): string | null {
  const name = variables[provider];
  if (name === null) return null;
  const endpoint = env[name] || null;
  if (endpoint !== null && !URL.canParse(endpoint))
    throw new Error(`${name} must be a URL like https://gateway.example.com`);
  return endpoint;
}

export const findEndpointOrigins = (env: Environment = process.env): string[] =>
  providerNames.flatMap((provider) => {
    const endpoint = findEndpoint(provider, env);
    return endpoint === null ? [] : [new URL(endpoint).origin];
  });

/** The variable wins over what is configured, of which the rest is kept as far as the interface tells it. */
export async function applyEndpoint(
  client: EndpointClient,
  provider: ProviderName,
  env: Environment = process.env,
): Promise<void> {
  const apiEndpoint = findEndpoint(provider, env);
  if (apiEndpoint === null) return;
  const { providers } = await client.providers();
  const known = providers.find(({ name }) => name === provider);
  if (known?.apiEndpoint === apiEndpoint) return;
  const { enabled = true, defaultModel = null } = known ?? {};
  await client.putProvider(provider, { enabled, defaultModel, apiEndpoint });
}

/** `variable` is the one that it comes from, null when somebody configured it. */
export type EndpointInUse = { provider: string; endpoint: string; variable: string | null };

/** The model services that runs will talk to, where they are not the agents' own. */
export async function endpointsInUse(
  client: Pick<EndpointClient, "providers">,
  env: Environment = process.env,
): Promise<EndpointInUse[]> {
  const { providers } = await client.providers();
  return providers.flatMap(({ name, apiEndpoint }) => {
    if (apiEndpoint === null) return [];
    const provider = providerNames.find((known) => known === name);
    const isFromVariable = provider !== undefined && findEndpoint(provider, env) === apiEndpoint;
    const variable = isFromVariable ? variables[provider] : null;
    return [{ provider: name, endpoint: apiEndpoint, variable }];
  });
}
