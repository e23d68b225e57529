import { SwitchyardError } from "../../../../shared/errors.ts";
import type { AgentRegistry } from "../registry.ts";
import { acpAdapter } from "./acpAdapter.ts";
import type { AcpAgent } from "./acpConfig.ts";

/** The agents of a runner and those of its configuration, which may not take the name of another. */
export function withAcpAgents(registry: AgentRegistry, agents: readonly AcpAgent[]): AgentRegistry {
  const taken = agents.find(({ id }) => Object.hasOwn(registry, id));
  if (taken !== undefined)
    throw new SwitchyardError(
      "invalid_request",
      `The ACP agent ${taken.id} has the name of an agent that the runner has already.`,
    );
  return {
    ...registry,
    ...Object.fromEntries(agents.map((agent) => [agent.id, acpAdapter(agent)])),
  };
}
