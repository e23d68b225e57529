import type { AgentParser, LineAdapter } from "../agents/agentAdapter.ts";
import type { GuardedProcess } from "../processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../processes/stopLadder.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { Exchange } from "./exchange.ts";

const lastWords = new Set(["usage", "error", "result"]);

/**
 * For an agent that prints lines about one prompt. One that has said its last word and does not go is ended: its
 * work is done, and what it says on being ended does not count. However cancel, exit and end of the output follow on
 * each other, at most one `result` is recorded, the first.
 */
export function listenTo(
  child: GuardedProcess,
  { firstSignal, lingerMs }: LineAdapter,
  parser: AgentParser,
  { record }: Recorder,
): Exchange {
  let timer: NodeJS.Timeout | undefined;
  let hasResult = false;
  let hasExited = false;
  let isEnding = false;
  void child.exit.then(() => {
    hasExited = true;
    clearTimeout(timer);
  });
  return {
    parser,
    record: async (event) => {
      if (isEnding && lastWords.has(event.type)) return;
      if (hasResult && event.type === "result") return;
      hasResult ||= event.type === "result";
      await record(event);
      if (event.type !== "result" || hasExited) return;
      timer = setTimeout(() => {
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
