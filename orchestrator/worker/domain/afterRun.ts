import { retryDelayMs } from "./backoff.ts";
import { stands } from "./guards.ts";
import { inputWaitMs } from "./limits.ts";
import type { RunOutcome } from "./outcome.ts";
import type { NewTask } from "./ports/taskStore.ts";
import type { Outcome, Task, Waiting } from "./task.ts";

export type AfterRun =
  | { taskEvent: "receive_patch"; outcome: null }
  | { taskEvent: "finish_without_patch"; outcome: Outcome }
  | { taskEvent: "cancel_confirmed"; outcome: Outcome }
  | { taskEvent: "fail"; outcome: Outcome }
  /** By `remediated`: no patch could be made of what its agent left, and a child is to put that right. */
  | { taskEvent: "remediate"; outcome: Outcome; child: NewTask }
  | { taskEvent: "retry"; outcome: Outcome; notBeforeMs: number }
  | { taskEvent: "park"; outcome: Outcome; notBeforeMs: number }
  | { taskEvent: "ask"; outcome: null; waiting: Waiting };

/** What an execution's outcome means for its task. */
export function afterRun(
  task: Pick<Task, "fence" | "retries" | "limits" | "deadlineAtMs" | "reverts">,
  run: RunOutcome,
  nowMs: number,
): AfterRun {
  if (run.kind === "patch") return { taskEvent: "receive_patch", outcome: null };
  if (run.kind === "no_changes")
    return {
      taskEvent: "finish_without_patch",
      outcome: { code: "no_changes", message: noChanges(task) },
    };
  if (run.kind === "question")
    return {
      taskEvent: "ask",
      outcome: null,
      waiting: { kind: run.asks, text: run.text, sinceMs: nowMs, expiresAtMs: nowMs + inputWaitMs },
    };
  const outcome = { code: run.code, message: run.message };
  if (run.execution === "cancel") return { taskEvent: "cancel_confirmed", outcome };
  const notBeforeMs = nowMs + retryDelayMs(task.retries + 1);
  // A pause that a retry makes anyway is a retry, and counts as one.
  const resetAtMs = run.resetAtMs ?? 0;
  if (resetAtMs > (run.retry ? notBeforeMs : 0) && resetAtMs < task.deadlineAtMs)
    return { taskEvent: "park", outcome, notBeforeMs: Math.max(resetAtMs, nowMs) };
  const triesLeft = task.retries + 1 < task.limits.maxAttempts || !stands("attempts_bounded");
  if (run.retry && triesLeft && notBeforeMs < task.deadlineAtMs)
    return { taskEvent: "retry", outcome, notBeforeMs };
  return { taskEvent: "fail", outcome };
}

const noChanges = ({ reverts }: Pick<Task, "reverts">): string =>
  reverts === null
    ? "The agent ended well and changed nothing."
    : "Nothing of the patch is left to take back.";
