import type { EventLog } from "../../../apps/agent-runner/runs/eventLog.ts";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";

/** A log of events that is on no disk. */
export function memoryLog(): { log: EventLog; events: AgentEvent[] } {
  const events: AgentEvent[] = [];
  const log: EventLog = {
    append: async (event) => void events.push(event),
    lastNumber: () => events.length,
    size: () => 0,
    read: async (after) => ({ lines: Buffer.alloc(0), last: after }),
    onMore: () => () => {},
    close: async () => {},
  };
  return { log, events };
}
