import type { AgentAdapter } from "./agentAdapter.ts";
import { claudeCode } from "./claudeCode.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";

/** The agents that this runner can drive. */
export const agentNames = ["claude-code", "codex", "gemini", "copilot", "cursor"] as const;
export type AgentName = (typeof agentNames)[number];

/** Those that npm has: each has a pin. */
export const pinnedAgents = ["claude-code", "codex", "gemini", "copilot"] as const;
export type PinnedAgent = (typeof pinnedAgents)[number];

export const agentRegistry = {
  "claude-code": claudeCode,
  codex,
  gemini,
  copilot,
  cursor,
} satisfies Record<AgentName, AgentAdapter>;

export type AgentRegistry = Readonly<Record<string, AgentAdapter>>;
