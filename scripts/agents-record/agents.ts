import { acpAdapter } from "../../apps/agent-runner/agents/acp/acpAdapter.ts";
import type { AcpAgent } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import type { AgentAdapter } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { agentRegistry } from "../../apps/agent-runner/agents/registry.ts";
import type { PinnedAgent } from "../../shared/agentPins.ts";
import { geminiByAcp, opencodeByAcp } from "./acpAgents.ts";
import { acpTap } from "./acpTap.ts";
import { opencodeTap } from "./opencodeTap.ts";
import type { Tap } from "./recordTalk.ts";

/** An agent, and how it is called against the scripted model. */
export type RecordedAgent = {
  adapter: AgentAdapter;
  /** What is installed first; null = it has to be there. */
  program: PinnedAgent | null;
  /** The variable in which it reads its key. */
  key: string;
  model?: string;
  /** For one that is talked with: how what it says is overheard. */
  tap?: () => Tap;
};

const ofRegistry = (name: PinnedAgent, key: string, model: string): RecordedAgent => ({
  adapter: agentRegistry[name],
  program: name,
  key,
  model,
});

const byAcp = (config: AcpAgent, program: PinnedAgent | null = null): RecordedAgent => ({
  adapter: acpAdapter(config),
  program,
  key: config.credentialVariable,
  tap: acpTap,
});

const known: Readonly<Record<string, RecordedAgent>> = {
  "claude-code": ofRegistry("claude-code", "ANTHROPIC_API_KEY", "claude-sonnet-4-5"),
  gemini: ofRegistry("gemini", "GEMINI_API_KEY", "gemini-2.5-pro"),
  codex: ofRegistry("codex", "CODEX_API_KEY", "gpt-5.5"),
  copilot: ofRegistry("copilot", "COPILOT_PROVIDER_API_KEY", "gpt-5.4"),
  opencode: { ...ofRegistry("opencode", "OPENCODE_API_KEY", "m1"), tap: opencodeTap },
  "gemini-acp": { ...byAcp(geminiByAcp, "gemini"), model: "gemini-2.5-pro" },
  "opencode-acp": byAcp(opencodeByAcp, "opencode"),
};

/** Those that can be recorded: the ones of npm, two of them by the Agent Client Protocol too, and the operator's own. */
export const recordedAgents = (
  configured: readonly AcpAgent[],
): Readonly<Record<string, RecordedAgent>> => ({
  ...known,
  ...Object.fromEntries(configured.map((config) => [config.id, byAcp(config)])),
});
