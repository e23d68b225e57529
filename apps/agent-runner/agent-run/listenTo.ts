import type { AgentParser, LineAdapter } from "../agents/agentAdapter.ts";
import type { GuardedProcess } from "../processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../processes/stopLadder.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { Exchange } from "./exchange.ts";

const lastWords = new Set(["usage", "error", "result"]);

/**
 * For an agent that prints lines about one prompt. One that has said its last word and does not go is ended: its
 * work is done, and what it says on being ended does not count.
 */
export function listenTo(
  child: GuardedProcess,
  { firstSignal, lingerMs }: LineAdapter,
  parser: AgentParser,
  { record }: Recorder,
): Exchange {
  let timer: NodeJS.Timeout | undefined;
  let isEnding = false;
  void child.exit.then(() => clearTimeout(timer));
  return {
    parser,
    record: async (event) => {
      if (isEnding && lastWords.has(event.type)) return;
      await record(event);
      if (event.type !== "result") return;
      timer ??= setTimeout(() => {
        isEnding = true;
        void endByLadder(child, ladderFrom(firstSignal));
      }, lingerMs);
    },
    begin: async () => {},
    stop: () => void endByLadder(child, ladderFrom(firstSignal)),
    outputEnded: () => {},
    dismissed: () => false,
  };
}
