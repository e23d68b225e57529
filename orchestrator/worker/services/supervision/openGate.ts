import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type Step, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { endWithoutRun } from "./endWithoutRun.ts";

/** The gate before any effect: only an attempt that D1 still wants, and that nobody has begun, may start an agent. */
export const openGate =
  (deps: SupervisionDeps): Step =>
  async (attempt) => {
    const opened = await deps.executions.enterStarting(refOf(attempt), deps.clock.nowMs());
    const brief =
      opened.kind === "done" ? opened.brief : await deps.executions.findBrief(refOf(attempt));
    if (brief === null || brief.task.fence !== attempt.fence)
      return go({ ...attempt, phase: "done", endedAtMs: deps.clock.nowMs() });
    return opened.kind === "done" ? enter(attempt, brief) : afterLostGate(deps, attempt, brief);
  };

const enter = (attempt: Attempt, { execution, task }: Brief): StepResult =>
  go({
    ...attempt,
    phase: task.reverts === null ? "starting" : "reverting",
    executionId: execution.id,
    provider: execution.provider,
    factory: execution.config.factory?.value ?? null,
    wallClockMs: task.limits.wallClockMs,
    silenceMs: task.limits.silenceMs,
  });

/**
 * A crash between the gate's commit and this supervisor's own note of it leaves the execution `starting` or
 * further: it is ours, and its start may be repeated under the same id. A cancel that came first ends it here.
 */
async function afterLostGate(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
): Promise<StepResult> {
  const { execution, task } = brief;
  const begun = execution.status === "starting" || execution.status === "running";
  if (begun) return enter(attempt, brief);
  if (execution.status === "pending" && task.cancelRequestedAtMs !== null)
    return endWithoutRun(deps, attempt, brief, {
      kind: "bad",
      execution: "cancel",
      code: "cancelled",
      message: "The task was cancelled before its agent was started.",
      retry: false,
    });
  return go({ ...attempt, phase: "done", endedAtMs: deps.clock.nowMs() });
}
