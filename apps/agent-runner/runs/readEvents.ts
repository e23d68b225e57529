import { type NumberedEvent, numberedEventSchema } from "../../../shared/contracts/agentEvent.ts";
import type { EventLog } from "./eventLog.ts";

/** Every event of a log, from the first, without holding more than a part of it. */
export async function* readEvents(log: EventLog): AsyncGenerator<NumberedEvent> {
  for (let after = 0; after < log.lastNumber(); ) {
    const { lines, last } = await log.read(after, 256 * 1024);
    for (const line of lines.toString("utf8").split("\n"))
      if (line !== "") yield numberedEventSchema.parse(JSON.parse(line));
    after = last;
  }
}
