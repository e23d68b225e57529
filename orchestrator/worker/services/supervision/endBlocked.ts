import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { isSettledExecution } from "../../domain/states.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { writeSettlement } from "./writeSettlement.ts";

/**
 * The newest attempt may not begin, since the run before it cannot be confirmed gone. It waits for that, but not
 * past a cancel or its task's deadline.
 */
export async function endBlocked(deps: SupervisionDeps, newest: Attempt): Promise<void> {
  const brief = await deps.executions.findBrief(refOf(newest));
  if (brief === null || isSettledExecution(brief.execution.status)) return;
  const nothingStarted = { kind: "bad", retry: false } as const;
  if (brief.task.cancelRequestedAtMs !== null)
    await writeSettlement(
      deps,
      newest,
      brief,
      {
        ...nothingStarted,
        execution: "cancel",
        code: "cancelled",
        message: "The task was cancelled before its agent was started.",
      },
      null,
    );
  else if (deps.clock.nowMs() >= brief.task.deadlineAtMs)
    await writeSettlement(
      deps,
      newest,
      brief,
      {
        ...nothingStarted,
        execution: "fail",
        code: "provider_unreachable",
        message: "The runner of the attempt before could not be reached until the deadline.",
      },
      null,
    );
}
