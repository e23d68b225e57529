import type { AgentAdapter } from "../agents/agentAdapter.ts";
import type { GuardedProcess } from "../processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../processes/stopLadder.ts";
import type { Recorder } from "../runs/recorder.ts";

const lastWords = new Set(["usage", "error", "result"]);

/**
 * Ends an agent that has said its last word and does not go: its work is done, and what it says on being ended
 * does not count. Wraps the recorder that its events go to.
 */
export function endAfterLastWord(
  child: GuardedProcess,
  { firstSignal, lingerMs }: AgentAdapter,
  record: Recorder["record"],
) {
  let timer: NodeJS.Timeout | undefined;
  let isEnding = false;
  return {
    record: async (event: Parameters<Recorder["record"]>[0]): Promise<void> => {
      if (isEnding && lastWords.has(event.type)) return;
      await record(event);
      if (event.type !== "result") return;
      timer ??= setTimeout(() => {
        isEnding = true;
        void endByLadder(child, ladderFrom(firstSignal));
      }, lingerMs);
    },
    end: () => clearTimeout(timer),
  };
}
