import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { EventSource } from "../runs/runEntry.ts";

const chunkBytes = 64 * 1024;

export type EventQuery = { after: number; waitMs: number };

/**
 * Sends what is in the log after a number and, until the time is over, what is added to it. Whatever the speed of
 * the reader, no more than one chunk is in memory: the log on the disk is the buffer.
 */
export async function streamEvents(
  source: EventSource,
  query: EventQuery,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  const untilMs = performance.now() + query.waitMs;
  let end = Number.POSITIVE_INFINITY;
  for (let after = query.after; !gone.signal.aborted; ) {
    const isOver = source.isFinished() || performance.now() >= untilMs;
    if (isOver) end = Math.min(end, source.log.lastNumber());
    if (after >= end) break;
    const { lines, last } = await source.log.read(after, chunkBytes);
    after = last;
    if (lines.length > 0) await write(response, lines, gone.signal);
    else await change(source, after, untilMs - performance.now(), gone.signal);
  }
  response.end();
}

async function write(response: ServerResponse, lines: Buffer, gone: AbortSignal): Promise<void> {
  if (response.write(lines)) return;
  await once(response, "drain", { signal: gone }).catch(() => {});
}

/** Settles when there is more to read, when there never will be, or when the time is over. */
function change(
  source: EventSource,
  after: number,
  limitMs: number,
  gone: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      stop();
      gone.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, limitMs);
    const stop = source.onChange(settle);
    gone.addEventListener("abort", settle);
    if (source.log.lastNumber() > after || source.isFinished()) settle();
  });
}
