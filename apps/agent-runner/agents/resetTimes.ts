import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { AgentParser } from "./agentAdapter.ts";

const unitMs: readonly [RegExp, number][] = [
  [/^(ms|millisecond)/, 1],
  [/^s/, 1000],
  [/^m/, 60_000],
  [/^h/, 3_600_000],
  [/^d/, 86_400_000],
];

const unit = "(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)";
const duration = `\\d+(?:\\.\\d+)?\\s*${unit}(?:(?:,?\\s*(?:and\\s+)?)\\d+(?:\\.\\d+)?\\s*${unit})*\\b`;
const after = new RegExp(
  `(?:try again|retry|resets?|available again)\\s+(?:in|after)\\s+(${duration})`,
  "i",
);
const retryDelay = /"?retry-?(?:delay|after)"?\s*[:=]\s*"?(\d+(?:\.\d+)?)(?:s|\b)/i;
const epochSeconds = /limit reached\|(\d{10})\b/i;
const at =
  /(?:try again|resets?|available again)\s+(?:at|on)\s+(.*?(?:\d{4}-\d\d-\d\dT\S+|\d{1,2}:\d\d\s*(?:[AP]M)?))/i;

/** When a provider takes work again, as its error says it in words; null when it does not (ms UTC). */
export function resetAtOf(text: string, nowMs: number): number | null {
  const wait = after.exec(text)?.[1];
  if (wait !== undefined) return nowMs + durationMs(wait);
  const delay = retryDelay.exec(text)?.[1];
  if (delay !== undefined) return nowMs + Math.round(Number(delay) * 1000);
  const epoch = epochSeconds.exec(text)?.[1];
  if (epoch !== undefined) return Number(epoch) * 1000;
  const time = at.exec(`${text} `)?.[1];
  return time === undefined ? null : timeOf(time, nowMs);
}

function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)];
  const ms = parts.map(([, amount, name = ""]) => {
    const [, each] = unitMs.find(([pattern]) => pattern.test(name.toLowerCase())) ?? ["", 0];
    return Number(amount) * each;
  });
  return Math.round(ms.reduce((sum, part) => sum + part, 0));
}

/** A date with a time, or a time of this day or the next; without a zone it is this machine's, as the agent is. */
function timeOf(text: string, nowMs: number): number | null {
  const plain = text.trim().replace(/(\d)(?:st|nd|rd|th)\b/g, "$1");
  const whole = Date.parse(plain);
  if (!Number.isNaN(whole)) return whole;
  const today = Date.parse(`${new Date(nowMs).toDateString()} ${plain}`);
  if (Number.isNaN(today)) return null;
  return today > nowMs ? today : new Date(today).setDate(new Date(today).getDate() + 1);
}

const waiting = new Set(["rate_limit", "quota", "overloaded"]);

/** Adds to errors that time may mend when that will be, if their text says so. */
export function withResetTimes(parser: AgentParser, nowMs: () => number): AgentParser {
  const withTime = (event: AgentEvent): AgentEvent => {
    if (event.type !== "error" || !waiting.has(event.kind) || event.resetAtMs != null) return event;
    const resetAtMs = resetAtOf(event.message, nowMs());
    return resetAtMs === null ? event : { ...event, resetAtMs };
  };
  return {
    line: (line) => parser.line(line).map(withTime),
    errorLine: (line) => parser.errorLine(line).map(withTime),
    end: async (facts) => (await parser.end(facts)).map(withTime),
  };
}
