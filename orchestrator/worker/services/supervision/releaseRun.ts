import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { handleOf, type SupervisionDeps } from "./deps.ts";

/** Gives back what the run of an attempt occupies. Nothing happens when it is done again. */
export async function releaseRun(
  deps: Pick<SupervisionDeps, "agentOf">,
  attempt: Attempt,
): Promise<void> {
  const { provider, executionId } = attempt;
  if (executionId === null || provider === null) return;
  await deps.agentOf(provider)?.release?.(handleOf(attempt));
}
