import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";

const maxTextBytes = 64 * 1024;
const maxEventBytes = 256 * 1024;

/** An event no larger than a reader has to expect; each text says where and how much was cut. */
export function capEvent(event: AgentEvent): AgentEvent {
  if (isSmall(event)) return event;
  for (let limit = maxTextBytes; limit > 64; limit = Math.floor(limit / 4)) {
    const capped = capStrings(event, limit) as AgentEvent;
    if (Buffer.byteLength(JSON.stringify(capped)) <= maxEventBytes) return capped;
  }
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (event.type === "tool_use")
    return {
      ...event,
      id: capText(event.id, 200),
      name: capText(event.name, 200),
      input: { cut: true, bytes },
    };
  return { type: "parse_warning", message: `an event of type ${event.type} was too large`, bytes };
}

/** No text in it can be over the limit. A character of JSON is at most 3 bytes. */
const isSmall = (event: AgentEvent): boolean => JSON.stringify(event).length * 3 <= maxTextBytes;

/** Cuts between characters, never inside one. */
export function capText(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return text;
  const kept = new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
  return `${kept}\n[cut: ${bytes.length - maxBytes} bytes more]`;
}

/** The last part of a text, for what is said at its end. */
export function capTail(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return text;
  const start = bytes.subarray(bytes.length - maxBytes);
  const firstWhole = start.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return start.subarray(Math.max(0, firstWhole)).toString("utf8");
}

function capStrings(value: unknown, maxBytes: number): unknown {
  if (typeof value === "string") return capText(value, maxBytes);
  if (Array.isArray(value)) return value.map((item) => capStrings(item, maxBytes));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, capStrings(item, maxBytes)]),
  );
}
