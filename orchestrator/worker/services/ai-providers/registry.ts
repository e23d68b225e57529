import type { AgentCapabilities } from "../../domain/ports/codeAgent.ts";

/** In order of preference: the first that can take a task gets it when nothing else decides. */
export const providerNames = [
  "claude-code",
  "gemini",
  "codex",
  "copilot",
  "opencode",
  "cursor",
] as const;
export type ProviderName = (typeof providerNames)[number];

/** Names of secrets that hold a key, and the environment variable in which the program reads it. */
export type CredentialNames = {
  /** The first that is set is used. */
  secretNames: readonly string[];
  credentialVariable: string;
};

export type ProviderDefinition = CredentialNames & {
  type: "jules" | "cli";
  title: string;
  capabilities: AgentCapabilities;
  /** Where an endpoint is configured: the key of that service, in place of the provider's own. */
  ownService?: CredentialNames;
  /** Written after its documentation alone: it gets a task only where the deployment allows that. */
  unverified?: true;
  /** Base URL of its model service, where its program can be pointed at another address for it. */
  modelService?: string;
  /** Its program chooses models and wire formats by the service, so it is told when the address is its own's. */
  knowsOwnService?: true;
  /** Its program cannot be pointed anywhere else: its key goes into its container, and these hosts are let through. */
  keyInside?: { hosts: readonly string[] };
};

export const registry = {
  "claude-code": {
    type: "cli",
    title: "Claude Code",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "tokens" },
    secretNames: ["CLAUDE_API_KEY", "ANTHROPIC_API_KEY"],
    credentialVariable: "ANTHROPIC_API_KEY",
    modelService: "https://api.anthropic.com",
  },
  gemini: {
    type: "cli",
    title: "Gemini CLI",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "tokens" },
    secretNames: ["GEMINI_API_KEY"],
    credentialVariable: "GEMINI_API_KEY",
    modelService: "https://generativelanguage.googleapis.com",
  },
  codex: {
    type: "cli",
    title: "Codex CLI",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "tokens" },
    secretNames: ["CODEX_API_KEY", "OPENAI_API_KEY"],
    credentialVariable: "CODEX_API_KEY",
    modelService: "https://api.openai.com/v1",
  },
  copilot: {
    type: "cli",
    title: "GitHub Copilot CLI",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "plan" },
    secretNames: ["COPILOT_GITHUB_TOKEN"],
    credentialVariable: "COPILOT_GITHUB_TOKEN",
    ownService: {
      secretNames: ["COPILOT_PROVIDER_API_KEY"],
      credentialVariable: "COPILOT_PROVIDER_API_KEY",
    },
    keyInside: {
      hosts: ["api.github.com", "*.githubcopilot.com", "copilot-proxy.githubusercontent.com"],
    },
  },
  opencode: {
    type: "cli",
    title: "OpenCode",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "tokens" },
    secretNames: ["OPENCODE_API_KEY"],
    credentialVariable: "OPENCODE_API_KEY",
    modelService: "https://opencode.ai/zen/v1",
    knowsOwnService: true,
  },
  cursor: {
    type: "cli",
    title: "Cursor agent",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "plan" },
    secretNames: ["CURSOR_API_KEY"],
    credentialVariable: "CURSOR_API_KEY",
    unverified: true,
  },
} as const satisfies Record<ProviderName, ProviderDefinition>;

/** An agent that the runner knows by configuration alone. */
export type AcpProvider = Pick<
  ProviderDefinition,
  "title" | "secretNames" | "credentialVariable"
> & {
  id: string;
  resume: boolean;
};

/** Providers by name, in order of preference. */
export type Providers = ReadonlyMap<string, ProviderDefinition>;

/** Those that every deployment has, and after them those of its configuration. */
export function providersWith(configured: readonly AcpProvider[]): Providers {
  const providers = new Map<string, ProviderDefinition>(Object.entries(registry));
  for (const { id, resume, ...named } of configured)
    providers.set(id, {
      type: "cli",
      capabilities: { sources: ["local"], resume, cancel: "confirmed", billing: "plan" },
      ...named,
    });
  return providers;
}

export const isProviderName = (name: string): name is ProviderName =>
  (providerNames as readonly string[]).includes(name);

export const credentialNamesOf = (
  definition: Pick<ProviderDefinition, "ownService"> & CredentialNames,
  endpoint: string | null,
): CredentialNames => (endpoint === null ? definition : (definition.ownService ?? definition));

/** Where the key is while an agent works in a container. */
export type KeyPlace =
  | { kind: "outside" }
  | { kind: "inside"; hosts: readonly string[] }
  | { kind: "refused"; because: string };

/** `allowed`: the providers whose keys this deployment lets into containers, for want of another way. */
export function keyPlaceOf(
  name: string,
  { modelService, keyInside }: Pick<ProviderDefinition, "modelService" | "keyInside">,
  endpoint: string | null,
  allowed: readonly string[],
): KeyPlace {
  if (endpoint !== null || modelService !== undefined) return { kind: "outside" };
  const otherwise = "configure an apiEndpoint for it";
  if (keyInside === undefined)
    return {
      kind: "refused",
      because: `the model service of ${name} is not known, so that its key cannot be kept out of its container: ${otherwise}`,
    };
  if (!allowed.includes(name))
    return {
      kind: "refused",
      because: `the key of ${name} would have to go into its container: ${otherwise}, or name it in ALLOW_KEYS_IN_CONTAINERS`,
    };
  return { kind: "inside", hosts: keyInside.hosts };
}

/** Those whose keys may be let into containers. */
export const keyInsideProviders: readonly ProviderName[] = providerNames.filter(
  (name) => (registry[name] as ProviderDefinition).keyInside !== undefined,
);

/** Those whose work has been seen. */
export const verifiedProviders: readonly ProviderName[] = providerNames.filter(
  (name) => (registry[name] as ProviderDefinition).unverified !== true,
);
