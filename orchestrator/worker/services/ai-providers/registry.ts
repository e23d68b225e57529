import type { AgentCapabilities } from "../../domain/ports/codeAgent.ts";

/** In order of preference: the first that can take a task gets it when nothing else decides. */
export const providerNames = ["claude-code", "gemini"] as const;
export type ProviderName = (typeof providerNames)[number];

export type ProviderDefinition = {
  type: "jules" | "cli";
  title: string;
  capabilities: AgentCapabilities;
  /** Names of secrets that hold its key; the first that is set is used. */
  secretNames: readonly string[];
  /** The environment variable in which its program reads the key. */
  credentialVariable: string;
};

export const registry = {
  "claude-code": {
    type: "cli",
    title: "Claude Code",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed" },
    secretNames: ["CLAUDE_API_KEY", "ANTHROPIC_API_KEY"],
    credentialVariable: "ANTHROPIC_API_KEY",
  },
  gemini: {
    type: "cli",
    title: "Gemini CLI",
    capabilities: { sources: ["local"], resume: true, cancel: "confirmed" },
    secretNames: ["GEMINI_API_KEY"],
    credentialVariable: "GEMINI_API_KEY",
  },
} as const satisfies Record<ProviderName, ProviderDefinition>;

export const isProviderName = (name: string): name is ProviderName =>
  (providerNames as readonly string[]).includes(name);
