import type { ContainerObject } from "./containerPlan.ts";

/** What a factory's worker needs for containers of its own: shared/base/wrangler.containers.jsonc declares it. */
export type FactoryContainersEnv = {
  AGENT_CONTAINER: DurableObjectNamespace<Rpc.DurableObjectBranded & ContainerObject>;
  /** The orchestrator's entrypoint `ContainerEgress`, with this factory's identity as props. */
  ORCHESTRATOR_EGRESS: Pick<Fetcher, "fetch">;
  /** The agents of its image, as a JSON list (agentsOfImage.ts); without it, every one that is pinned. */
  CONTAINER_AGENTS?: string;
};
