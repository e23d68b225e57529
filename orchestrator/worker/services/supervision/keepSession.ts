import { SwitchyardError } from "../../../../shared/errors.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { handleOf, type SupervisionDeps } from "./deps.ts";

export const sessionTries = 3;
const pauseMs = 2_000;

/**
 * Takes the session of a finished run to where the attempt that goes on with it will find it: before anybody can
 * hear of the run's end, and before what the session lies in is given back. Null = there is nothing (more) to take.
 * What the run came to does not hang on it: after a few tries it is settled without. A try counts before it is made.
 */
export async function keepSession(
  deps: SupervisionDeps,
  attempt: Attempt,
  { task }: Brief,
): Promise<StepResult | null> {
  const { organizationId, taskId, fence } = attempt;
  const id = attempt.report?.sessionId ?? null;
  const agent = deps.agentOf(attempt.provider ?? "");
  if (id === null || task.cancelRequestedAtMs !== null) return null;
  const keep = agent?.sessionKeeper?.(handleOf(attempt)) ?? null;
  if (keep === null || attempt.sessionTriesLeft === 0) return null;
  const asked = { ...attempt, sessionTriesLeft: attempt.sessionTriesLeft - 1 };
  const done = go({ ...attempt, sessionTriesLeft: 0 });
  deps.memory.save(asked);
  try {
    await keep({ organizationId, taskId, id });
    return done;
  } catch (error) {
    const isFinal = error instanceof SwitchyardError && !error.retryable;
    if (!isFinal && asked.sessionTriesLeft > 0) return wait(asked, pauseMs);
    deps.log.warn("supervisor.session_not_kept", { organizationId, taskId, fence, error });
    return done;
  }
}
