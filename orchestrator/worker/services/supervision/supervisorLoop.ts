import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { StepContext } from "../../domain/ports/supervision.ts";
import type { SupervisorMemory } from "../../domain/ports/supervisorMemory.ts";
import type { PokeAnswer, StartAnswer, TaskRef } from "../../domain/ports/supervisors.ts";
import { startAttempt } from "./startAttempt.ts";

export type LoopDeps = {
  memory: SupervisorMemory;
  ids: Ids;
  clock: Clock;
  /** Takes the attempts as far as they go now. */
  advance(context: StepContext): Promise<void>;
  watched(): boolean;
};

/** How a supervisor is called. All it must not forget is in its memory: it may be cut off at any await. */
export type SupervisorLoop = {
  start(ref: TaskRef, fence: number): Promise<StartAnswer>;
  poke(): Promise<PokeAnswer>;
  /** A runner says that something happened. Whoever rings with a wrong token is not heard. */
  ring(token: string): Promise<void>;
  /** The alarm. Never throws. */
  wake(): Promise<void>;
  advance(): Promise<void>;
  /** Ends a wait for events, so that the next look comes at once. */
  interrupt(): void;
};

const retryAfterErrorMs = 10_000;

export function supervisorLoop(deps: LoopDeps): SupervisorLoop {
  let advancing: Promise<void> | null = null;
  let lookAgain = false;
  let interruption = new AbortController();

  const advanceUntilQuiet = async () => {
    do {
      lookAgain = false;
      interruption = new AbortController();
      await deps.advance({ signal: interruption.signal, watched: deps.watched });
    } while (lookAgain);
  };
  /** One advance at a time; whoever comes meanwhile waits for it, and it looks once more. */
  const advance = (): Promise<void> => {
    advancing ??= advanceUntilQuiet().finally(() => {
      advancing = null;
    });
    return advancing;
  };
  const interruptWait = () => {
    lookAgain = true;
    interruption.abort();
  };
  /** By alarm, so that it happens even if this supervisor is cut off before. */
  const lookSoon = async () => {
    interruptWait();
    await deps.memory.setWakeAt(deps.clock.nowMs());
  };

  return {
    async start(ref, fence) {
      const answer = startAttempt(deps, ref, fence);
      if (answer.kind === "accepted") await lookSoon();
      return answer;
    },

    async poke() {
      const fence = deps.memory.attempts().at(-1)?.fence ?? 0;
      if (fence > 0) await lookSoon();
      return { fence };
    },

    async ring(token) {
      if (deps.memory.attempts().at(-1)?.doorbellToken !== token) return;
      interruptWait();
      await advance();
    },

    async wake() {
      try {
        await advance();
      } catch {
        // An alarm that throws is dropped after a few tries, and its task with it.
        await deps.memory.setWakeAt(deps.clock.nowMs() + retryAfterErrorMs);
      }
    },

    advance,
    interrupt: () => interruption.abort(),
  };
}
