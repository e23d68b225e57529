import type { AgentAdapter, LineAdapter } from "./agentAdapter.ts";
import { claudeCode } from "./claudeCode.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";

/** The agents that this runner can drive: by lines about one prompt, and in a conversation. */
export const lineAgentNames = ["claude-code", "codex", "gemini", "copilot", "cursor"] as const;
export type LineAgentName = (typeof lineAgentNames)[number];
export const agentNames = [...lineAgentNames, "opencode"] as const;
export type AgentName = (typeof agentNames)[number];

/** Those that npm has: each has a pin. */
export const pinnedLineAgents = ["claude-code", "codex", "gemini", "copilot"] as const;
export type PinnedLineAgent = (typeof pinnedLineAgents)[number];

export const agentRegistry = {
  "claude-code": claudeCode,
  codex,
  gemini,
  copilot,
  opencode,
  cursor,
} satisfies Record<LineAgentName, LineAdapter> & Record<AgentName, AgentAdapter>;

export type AgentRegistry = Readonly<Record<string, AgentAdapter>>;
