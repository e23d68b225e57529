import {
  type NumberedEvent,
  numberedEventSchema,
} from "../../../../../shared/contracts/agentEvent.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { bodyChunks } from "./bodyChunks.ts";
import { unreachable } from "./request.ts";

const maxLineBytes = 1024 * 1024;

/**
 * Reads NDJSON of numbered events, hands over together what arrived together, and insists on numbers without a
 * gap. An event of a kind that this version does not know passes as `raw`.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  after: number,
  onEvents: (events: NumberedEvent[]) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  let last = after;
  const take = (lines: string[]) => {
    const events = lines.filter((line) => line !== "").map(parseLine);
    for (const event of events) {
      if (event.number !== last + 1) throw gap(last, event.number);
      last = event.number;
    }
    if (events.length > 0) onEvents(events);
  };
  try {
    for await (const chunk of bodyChunks(body)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > maxLineBytes) throw notALine(rest);
      take(lines);
    }
    take([rest + decoder.decode()]);
  } catch (error) {
    throw error instanceof SwitchyardError ? error : unreachable(error);
  }
}

function parseLine(line: string): NumberedEvent {
  const value = parseJson(line);
  const known = numberedEventSchema.safeParse(value);
  return known.success ? known.data : asRaw(value, line);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const envelope = numberedEventSchema.pick({ number: true, atMs: true });

function asRaw(value: unknown, line: string): NumberedEvent {
  const { event, ...rest } = (value ?? {}) as { event?: { type?: unknown } };
  const numbered = envelope.safeParse(rest);
  if (!numbered.success || typeof event?.type !== "string") throw notALine(line);
  const text = JSON.stringify(event).slice(0, 4096);
  return { ...numbered.data, event: { type: "raw", sourceType: event.type, text } };
}

const gap = (last: number, next: number): SwitchyardError =>
  new SwitchyardError(
    "runner_protocol_error",
    `The runner sent event ${next} after event ${last}: events are missing or doubled.`,
  );

const notALine = (line: string): SwitchyardError =>
  new SwitchyardError("runner_protocol_error", "The runner sent a line that is not an event.", {
    context: { excerpt: line.slice(0, 200) },
  });
