import type { PinnedAgent } from "../../../shared/agentPins.ts";

/** Which key each agent of the image has, and which model it is asked for. */
export const agentCalls = {
  "claude-code": { key: "ANTHROPIC_API_KEY", model: "claude-sonnet-4-5" },
  gemini: { key: "GEMINI_API_KEY", model: "gemini-2.5-pro" },
  codex: { key: "CODEX_API_KEY", model: "gpt-5.5" },
  copilot: { key: "COPILOT_PROVIDER_API_KEY", model: "gpt-5.4" },
  opencode: { key: "OPENCODE_API_KEY", model: "m1" },
} as const satisfies Record<PinnedAgent, { key: string; model: string }>;
