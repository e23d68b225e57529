import type { Ids } from "../../domain/ports/ids.ts";
import type { SupervisorMemory } from "../../domain/ports/supervisorMemory.ts";
import type { StartAnswer, TaskRef } from "../../domain/ports/supervisors.ts";
import { sessionTries } from "./keepSession.ts";

/** Notes an attempt down. A lower fence than the highest known is refused; the same one again changes nothing. */
export function startAttempt(
  deps: { memory: SupervisorMemory; ids: Ids },
  ref: TaskRef,
  fence: number,
): StartAnswer {
  const highest = deps.memory.attempts().at(-1)?.fence ?? 0;
  if (fence < highest) return { kind: "stale", fence: highest };
  if (!deps.memory.attempts().some((attempt) => attempt.fence === fence))
    deps.memory.save({
      ...ref,
      fence,
      phase: "gate",
      executionId: null,
      provider: null,
      doorbellToken: deps.ids.token(),
      startedAtMs: null,
      wallClockMs: null,
      silenceMs: null,
      stopAsked: null,
      stopAskedAtMs: null,
      startAsked: false,
      patchAsked: false,
      unreachableSinceMs: null,
      unconfirmed: false,
      report: null,
      patch: null,
      sessionTriesLeft: sessionTries,
      patchTry: 1,
      patchStarted: false,
      appliedTreeId: null,
      failures: 0,
      failingSinceMs: null,
      endedAtMs: null,
    });
  return { kind: "accepted" };
}
