import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { Redactor } from "../redact.ts";
import { capEvent } from "./capEvent.ts";
import type { EventLog } from "./eventLog.ts";
import { createHoldback } from "./holdback.ts";

/** The way of an event into the log: redacted whole, then cut to size, then shown to whoever counts. */
export type Recorder = {
  record(event: AgentEvent): Promise<void>;
};

const maxLogBytes = 64 * 1024 * 1024;

/** Events of an agent that talks without end; what ends a run or sums it up is never left out. */
const leftOutWhenFull = new Set<AgentEvent["type"]>([
  "message",
  "thinking",
  "tool_use",
  "tool_result",
  "retry",
  "raw",
  "parse_warning",
  "command_output",
]);

export function createRecorder(
  log: EventLog,
  redactor: Redactor,
  onEvent: (event: AgentEvent) => void = () => {},
): Recorder {
  const pieces = createHoldback(redactor);
  let isFull = false;

  const append = (event: AgentEvent): Promise<void> => {
    const capped = capEvent(event);
    onEvent(capped);
    if (log.size() < maxLogBytes || !leftOutWhenFull.has(event.type)) return log.append(capped);
    if (isFull) return Promise.resolve();
    isFull = true;
    const message = "the event log is full; what the agent says from here on is left out";
    return log.append({ type: "parse_warning", message, bytes: log.size() });
  };
  const flushPieces = async () => {
    const text = pieces.flush();
    if (text !== "") await append({ type: "message", role: "assistant", text, delta: true });
  };

  return {
    record: async (event) => {
      if (event.type === "message" && event.role === "assistant" && event.delta === true) {
        const text = pieces.push(event.text);
        if (text !== "") await append({ ...event, text });
        return;
      }
      const flushed = flushPieces();
      await Promise.all([flushed, append(redactor.json(event))]);
    },
  };
}
