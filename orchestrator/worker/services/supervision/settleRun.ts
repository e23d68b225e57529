import { judgeRun, type RunFacts, type RunOutcome } from "../../domain/outcome.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type Step, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { isFinalTask, isSettledExecution } from "../../domain/states.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { keepSession } from "./keepSession.ts";
import { releaseRun } from "./releaseRun.ts";
import { writeSettlement } from "./writeSettlement.ts";

/** Writes the outcome of a finished run, until D1 has said won or lost. */
export const settleRun =
  (deps: SupervisionDeps): Step =>
  async (attempt) => {
    const brief = await deps.executions.findBrief(refOf(attempt));
    if (brief === null || attempt.report === null || brief.task.fence !== attempt.fence)
      return go({ ...attempt, phase: "archiving" });
    const keeping = await letGo(deps, attempt, brief);
    if (keeping !== null) return keeping;
    if (isSettledExecution(brief.execution.status)) return afterSettled(attempt, brief);

    const outcome = outcomeOf(brief, attempt.report, attempt);
    const written = await writeSettlement(deps, attempt, brief, outcome, attempt.report);
    // Lost: a cancel came in between, or an earlier write had worked after all. The next look tells which.
    if (written.kind === "lost") return go(attempt);
    return go({
      ...attempt,
      phase: written.taskEvent === "receive_patch" ? "patching" : "archiving",
    });
  };

/** Its report and its events are held: once its session has left it, what it occupies is paid for no longer. */
async function letGo(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
): Promise<StepResult | null> {
  const keeping = await keepSession(deps, attempt, brief);
  if (keeping === null) await releaseRun(deps, attempt).catch(() => {});
  return keeping;
}

const outcomeOf = ({ task }: Brief, report: RunFacts, attempt: Attempt): RunOutcome =>
  task.cancelRequestedAtMs === null ? judge(report, attempt) : cancelled;

/** A run that was told to end, of a task that nobody cancelled, was ended by us: its start was not heard of. */
const judge = (report: RunFacts, { patch }: Attempt): RunOutcome =>
  report.stoppedBy === "cancel"
    ? {
        kind: "bad",
        execution: "lose",
        code: "lost",
        message: "The run was ended, since its start was not heard of.",
        retry: true,
      }
    : judgeRun(report, patch !== null);

const cancelled: RunOutcome = {
  kind: "bad",
  execution: "cancel",
  code: "cancelled",
  message: "The run was cancelled and its processes are gone.",
  retry: false,
};

/** An earlier write of the outcome had worked: the task's own state says what is left to do. */
const afterSettled = (attempt: Attempt, { task, patch }: Brief): StepResult =>
  go({
    ...attempt,
    phase: patch !== null && !isFinalTask(task.status) ? "patching" : "archiving",
  });
