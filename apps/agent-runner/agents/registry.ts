import type { AgentAdapter } from "./agentAdapter.ts";
import { claudeCode } from "./claudeCode.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { gemini } from "./gemini.ts";

/** The agents that this runner can drive. */
export const agentNames = ["claude-code", "codex", "gemini", "copilot"] as const;
export type AgentName = (typeof agentNames)[number];

export const agentRegistry = {
  "claude-code": claudeCode,
  codex,
  gemini,
  copilot,
} satisfies Record<AgentName, AgentAdapter>;

export type AgentRegistry = Readonly<Record<string, AgentAdapter>>;
