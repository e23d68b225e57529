import { join } from "node:path";
import { agentPins, type PinnedAgent } from "../../../shared/agentPins.ts";
import type { FoundAgent } from "./agentAdapter.ts";

/** Where npm's lock of an agent's CLI is. */
export const pinFolder = (agent: PinnedAgent): string => join(import.meta.dirname, "pins", agent);

/** Where the pinned version stands once it is installed. */
export function installedAt(agentsDirectory: string, agent: PinnedAgent) {
  const version = agentPins[agent];
  return { folder: join(agentsDirectory, `${agent}@${version}`), version };
}

export const notInstalled = (agent: PinnedAgent, version: string): FoundAgent => ({
  kind: "missing",
  message:
    `${agent} ${version} is not installed: ` +
    `run node apps/agent-runner/agents/install.ts ${agent}`,
});
