import pins from "./agentPins.json" with { type: "json" };

export type PinnedAgent = keyof typeof pins;

/**
 * The one version of each agent's CLI that Switchyard is written for. The image, the runner, the worker's
 * `GET /health` and the tests read it from the file beside this one; npm needs it in the locks of
 * apps/agent-runner/agents/pins as well, which a test holds against it.
 */
export const agentPins: Readonly<Record<PinnedAgent, string>> = pins;

export const pinnedAgents = Object.keys(pins) as PinnedAgent[];

export const isPinned = (agent: string): agent is PinnedAgent =>
  (pinnedAgents as readonly string[]).includes(agent);
