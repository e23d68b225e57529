import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { handleOf, type SupervisionDeps } from "./deps.ts";

/** Gives back what an attempt occupies: its run, and what tried its patch. Nothing happens when it is done again. */
export async function releaseRun(
  deps: Pick<SupervisionDeps, "agentOf" | "releaseValidations">,
  attempt: Attempt,
): Promise<void> {
  await deps.releaseValidations(attempt);
  const { provider, executionId } = attempt;
  if (executionId === null || provider === null) return;
  await deps.agentOf(provider)?.release?.(handleOf(attempt));
}
