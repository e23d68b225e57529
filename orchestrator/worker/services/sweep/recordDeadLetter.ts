import { stands } from "../../domain/guards.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { DeadLetterStore } from "../../domain/ports/deadLetterStore.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskContext, TaskStore } from "../../domain/ports/taskStore.ts";
import { isFinalTask } from "../../domain/states.ts";
import type { Outcome } from "../../domain/task.ts";
import { systemActor } from "../../domain/tellState.ts";

export type DeadLetterDeps = {
  tasks: TaskStore;
  deadLetters: DeadLetterStore;
  clock: Clock;
  ids: Ids;
  log: Log;
};

const outcome: Outcome = {
  code: "dead_letter",
  message:
    "The task's message could not be processed. Look at the log, mend what is broken, and replay the dead letter.",
};

/**
 * A message could not be processed in all its deliveries. A task that waits, or that was claimed and never begun,
 * is handed to a person. One that a supervisor works on needs no message, and goes on; that there was one is noted.
 */
export async function recordDeadLetter(
  deps: DeadLetterDeps,
  ref: TaskRef,
  messageId: string,
): Promise<void> {
  if (!stands("dead_letter_recorded")) return;
  if ((await deps.deadLetters.findByMessage(ref.organizationId, messageId)) !== null) return;
  const context = await deps.tasks.findContext(ref);
  deps.log.error("task.dead_letter", { ...ref, status: context?.task.status ?? "unknown" });
  // Nothing was lost with it, and what is over stays as it is: the line in the log is all that there is to tell.
  if (context !== null && isFinalTask(context.task.status)) return;
  const escalated = context !== null && (await escalate(deps, context, messageId));
  if (!escalated) await note(deps, ref, messageId, becauseOf(context));
}

/** Nobody can read it, so nothing is known of its task; an operator sees that it was there. */
export async function recordUnreadable(
  deps: DeadLetterDeps,
  message: { id: string; body: unknown },
  faults: string,
): Promise<void> {
  const organizationId = namedIn(message.body, "organization_id") ?? unknownOrganization;
  const taskId = namedIn(message.body, "task_id") ?? "";
  deps.log.error("queue.unreadable", { organizationId, taskId, messageId: message.id, faults });
  const letter = { organizationId, taskId };
  if ((await deps.deadLetters.findByMessage(organizationId, message.id)) === null)
    await note(deps, letter, message.id, `The message cannot be read: ${faults}`.slice(0, 500));
}

/** Where letters lie whose organization nobody can tell; `npm run doctor` shows them. */
export const unknownOrganization = "-";

function namedIn(body: unknown, name: string): string | null {
  const value = (body as Record<string, unknown> | null)?.[name];
  return typeof value === "string" && value.length <= 100 && value !== "" ? value : null;
}

async function escalate(
  deps: DeadLetterDeps,
  { task, execution }: TaskContext,
  messageId: string,
): Promise<boolean> {
  const waits = task.status === "queued" || task.status === "parked";
  const claimed = task.status === "assigned" && execution?.status === "pending";
  if (!waits && !claimed) return false;
  const ref = { organizationId: task.organizationId, taskId: task.id };
  const nowMs = deps.clock.nowMs();
  const recorded = await deps.deadLetters.record(
    letterOf(deps, ref, messageId, "open", outcome.message),
    {
      end: {
        attempt: claimed ? { ...ref, fence: task.fence } : null,
        outcome,
        notices: noticesOfEnd(deps.ids, task, "escalated", outcome, null, nowMs),
      },
      nowMs,
      log: { actor: systemActor, action: "task.escalated", message: outcome.message },
    },
  );
  return recorded.kind === "done";
}

async function note(
  deps: DeadLetterDeps,
  ref: TaskRef,
  messageId: string,
  because: string,
): Promise<void> {
  await deps.deadLetters.record(letterOf(deps, ref, messageId, "moot", because), {
    end: null,
    nowMs: deps.clock.nowMs(),
    log: { actor: systemActor, action: "dead_letter.noted", message: because },
  });
}

const becauseOf = (context: TaskContext | null): string =>
  context === null
    ? "There is no such task."
    : `The task is ${context.task.status}: it needs no message.`;

const letterOf = (
  { ids, clock }: DeadLetterDeps,
  ref: TaskRef,
  messageId: string,
  status: "open" | "moot",
  because: string,
) => ({
  ...ref,
  id: ids.next("dl"),
  messageId,
  status,
  because,
  replayedAs: null,
  replayedBy: null,
  createdAtMs: clock.nowMs(),
});
