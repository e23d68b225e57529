import type { AgentAdapter } from "./agentAdapter.ts";
import { claudeCode } from "./claudeCode.ts";
import { codex } from "./codex.ts";
import { gemini } from "./gemini.ts";

/** The agents that this runner can drive. */
export const agentNames = ["claude-code", "codex", "gemini"] as const;
export type AgentName = (typeof agentNames)[number];

export const agentRegistry = {
  "claude-code": claudeCode,
  codex,
  gemini,
} satisfies Record<AgentName, AgentAdapter>;

export type AgentRegistry = Readonly<Record<string, AgentAdapter>>;
