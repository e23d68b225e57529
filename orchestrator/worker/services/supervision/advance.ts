import { tickDelayMs } from "../../domain/backoff.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { Step, StepContext } from "../../domain/ports/supervision.ts";
import type {
  Attempt,
  AttemptPhase,
  SupervisorMemory,
} from "../../domain/ports/supervisorMemory.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";

export type AdvanceDeps = {
  memory: SupervisorMemory;
  steps: Readonly<Record<Exclude<AttemptPhase, "confirming" | "done">, Step>>;
  /** Ends the run of an attempt that a higher one has replaced. */
  endSuperseded: Step;
  /** Looks whether the newest attempt still wants to wait for an older one. */
  endBlocked(newest: Attempt): Promise<void>;
  /** Whether the task has ended, so that its events are in the transcript for good. */
  isOver(task: TaskRef): Promise<boolean>;
  clock: Clock;
  log: Log;
};

const maxStepsPerWake = 50;
/** An alarm handler may take 15 minutes; a watched run is followed in shares of it. */
const maxWakeMs = 5 * 60_000;

/** A finished supervisor keeps its events for a day, then forgets them: the transcript is in R2 by then. */
export const keepAfterEndMs = 24 * 3_600_000;

/**
 * Takes the attempts of a task as far as they go now, and arms the next wake-up. Never throws: an error is
 * counted on the attempt and the same step is tried again later.
 */
export async function advance(deps: AdvanceDeps, context: StepContext): Promise<void> {
  const untilMs = deps.clock.nowMs() + maxWakeMs;
  for (let steps = 0; steps < maxStepsPerWake && deps.clock.nowMs() < untilMs; steps += 1) {
    const attempts = deps.memory.attempts();
    const attempt = attempts.find(({ phase }) => phase !== "done");
    if (attempt === undefined) return rest(deps, attempts);
    const newest = attempts.at(-1);
    const superseded = attempt !== newest;
    const delayMs = await takeStep(deps, attempt, superseded, context);
    if (delayMs > 0 && superseded && newest !== undefined) await lookAtBlocked(deps, newest);
    if (delayMs > 0) return deps.memory.setWakeAt(deps.clock.nowMs() + delayMs);
  }
  return deps.memory.setWakeAt(deps.clock.nowMs());
}

async function lookAtBlocked(deps: AdvanceDeps, newest: Attempt): Promise<void> {
  try {
    await deps.endBlocked(newest);
  } catch (error) {
    deps.log.warn("supervisor.blocked_look_failed", { taskId: newest.taskId, error });
  }
}

/** Answers after how many ms to look again, 0 = at once. */
async function takeStep(
  deps: AdvanceDeps,
  attempt: Attempt,
  superseded: boolean,
  context: StepContext,
): Promise<number> {
  if (attempt.phase === "done") return 0;
  const step =
    superseded || attempt.phase === "confirming" ? deps.endSuperseded : deps.steps[attempt.phase];
  try {
    const { attempt: after, next } = await step(attempt, context);
    deps.memory.save({ ...after, failures: 0, failingSinceMs: null });
    return next.kind === "go" ? 0 : next.ms;
  } catch (error) {
    const failures = attempt.failures + 1;
    const { organizationId, taskId, fence, phase } = attempt;
    deps.log.warn("supervisor.step_failed", {
      organizationId,
      taskId,
      fence,
      phase,
      failures,
      error,
    });
    const failingSinceMs = attempt.failingSinceMs ?? deps.clock.nowMs();
    // What was noted in the middle of the step is not undone by its failure.
    const noted = deps.memory.attempts().find((known) => known.fence === fence) ?? attempt;
    deps.memory.save({ ...noted, failures, failingSinceMs });
    return tickDelayMs(failures);
  }
}

async function rest(deps: AdvanceDeps, attempts: readonly Attempt[]): Promise<void> {
  const last = attempts.at(-1);
  if (last === undefined || last.endedAtMs === null) return;
  const nowMs = deps.clock.nowMs();
  const forgetAtMs = last.endedAtMs + keepAfterEndMs;
  if (nowMs < forgetAtMs) return deps.memory.setWakeAt(forgetAtMs);
  // A task that goes on later, after a wait for a person say, needs the events of its earlier attempts.
  const over = await deps.isOver(last).catch(() => false);
  return over ? deps.memory.forgetAll() : deps.memory.setWakeAt(nowMs + keepAfterEndMs);
}
