import { retryDelayMs } from "./backoff.ts";
import type { RunOutcome } from "./outcome.ts";
import type { Outcome, Task } from "./task.ts";

export type AfterRun =
  | { taskEvent: "receive_patch"; outcome: null }
  | { taskEvent: "finish_without_patch"; outcome: Outcome }
  | { taskEvent: "cancel_confirmed"; outcome: Outcome }
  | { taskEvent: "fail"; outcome: Outcome }
  | { taskEvent: "retry"; outcome: Outcome; notBeforeMs: number };

/** What an execution's outcome means for its task. */
export function afterRun(
  task: Pick<Task, "fence" | "limits" | "deadlineAtMs">,
  run: RunOutcome,
  nowMs: number,
): AfterRun {
  if (run.kind === "patch") return { taskEvent: "receive_patch", outcome: null };
  if (run.kind === "no_changes")
    return {
      taskEvent: "finish_without_patch",
      outcome: { code: "no_changes", message: "The agent ended well and changed nothing." },
    };
  const outcome = { code: run.code, message: run.message };
  if (run.execution === "cancel") return { taskEvent: "cancel_confirmed", outcome };
  const notBeforeMs = nowMs + retryDelayMs(task.fence);
  if (run.retry && task.fence < task.limits.maxAttempts && notBeforeMs < task.deadlineAtMs)
    return { taskEvent: "retry", outcome, notBeforeMs };
  return { taskEvent: "fail", outcome };
}
