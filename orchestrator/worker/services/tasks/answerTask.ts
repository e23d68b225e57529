import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";

export type AnswerDeps = {
  tasks: TaskStore;
  queue: TaskQueue;
  clock: Clock;
  log: Log;
  settings: Pick<Settings, "resendAfterMs">;
};

/**
 * A person answers what a task asks, or agrees to its plan: its next attempt goes on with the session. The time
 * that it has waited is added to its deadline. `lost` = it does not ask any more.
 */
export async function answerTask(
  deps: AnswerDeps,
  ref: TaskRef,
  by: string,
  answer: string,
): Promise<{ kind: "answered" } | { kind: "lost" }> {
  const context = await deps.tasks.findContext(ref);
  const waiting = context?.task.waiting ?? null;
  if (context === null || waiting === null || waiting.kind === "approval") return { kind: "lost" };
  const nowMs = deps.clock.nowMs();
  if (nowMs >= waiting.expiresAtMs) return { kind: "lost" };
  const { task, execution } = context;
  const answered = await deps.tasks.answer(ref, {
    fence: task.fence,
    resume: { sessionId: execution?.sessionId ?? null, answer },
    deadlineAtMs: task.deadlineAtMs + nowMs - waiting.sinceMs,
    nowMs,
    sweepAtMs: nowMs + deps.settings.resendAfterMs,
    log: { actor: by, action: "task.answered", message: `${by} answered.`, details: { answer } },
  });
  if (answered.kind === "lost") return answered;
  await askForLook(deps, ref);
  return { kind: "answered" };
}

/** The row is the outbox: a message that cannot be sent now is sent by the sweep. */
export async function askForLook(
  deps: { queue: TaskQueue; log: Log },
  ref: TaskRef,
): Promise<void> {
  try {
    await deps.queue.send(ref);
  } catch (error) {
    deps.log.warn("task.message_not_sent", { ...ref, error });
  }
}
