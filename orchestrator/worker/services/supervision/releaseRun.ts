import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { SupervisionDeps } from "./deps.ts";

/** Gives back what the run of an attempt occupies. Nothing happens when it is done again. */
export async function releaseRun(
  deps: Pick<SupervisionDeps, "agentOf">,
  { provider, executionId, fence }: Attempt,
): Promise<void> {
  if (executionId === null || provider === null) return;
  await deps.agentOf(provider)?.release?.({ executionId, fence });
}
