import type { RunOutcome } from "../../domain/outcome.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { isSettledExecution } from "../../domain/states.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { writeSettlement } from "./writeSettlement.ts";

/** Ends an attempt that has no report: it never started, its run is gone, or nobody can tell (`unconfirmed`). */
export async function endWithoutRun(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
  outcome: Extract<RunOutcome, { kind: "bad" }>,
  unconfirmed = false,
): Promise<StepResult> {
  const written = await writeSettlement(deps, attempt, brief, outcome, null);
  const ended = { ...attempt, phase: "archiving" as const, unconfirmed };
  if (written.kind === "done") return go(ended);
  const now = await deps.executions.findBrief(refOf(attempt));
  const settled = now === null || isSettledExecution(now.execution.status);
  // Not settled: a cancel came in between, and the same step finds it now.
  return settled ? go(ended) : wait(attempt, 1_000);
}
