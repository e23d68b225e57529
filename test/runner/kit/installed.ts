import { beforeAll } from "vitest";
import { installAgent } from "../../../apps/agent-runner/agents/install.ts";
import type { PinnedAgent } from "../../../shared/agentPins.ts";
import { agentsDirectory } from "./runners.ts";

/** The tests of this file run these CLIs; whichever file comes first gets them from npm. */
export const withInstalled = (agents: readonly PinnedAgent[]): void =>
  beforeAll(async () => {
    for (const agent of agents) {
      const outcome = await installAgent({ agent, agentsDirectory });
      if (outcome.kind === "failed") throw new Error(outcome.message);
    }
  }, 300_000);
