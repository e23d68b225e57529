import { type FileHandle, open } from "node:fs/promises";
import type { AgentEvent, NumberedEvent } from "../../../shared/contracts/agentEvent.ts";

/**
 * The events of one run in a file, one JSON line each, numbered from 1. A line is on the disk before anybody
 * can read it, so a reader's cursor never points at an event that a crash takes back.
 */
export type EventLog = {
  /** Settles when the event is on the disk. */
  append(event: AgentEvent): Promise<void>;
  /** The number of the last event on the disk. */
  lastNumber(): number;
  /** Bytes on the disk. */
  size(): number;
  /** Whole lines after this number, about `maxBytes` of them, and the number of the last. */
  read(after: number, maxBytes: number): Promise<{ lines: Buffer; last: number }>;
  /** Calls back after each time that more got on the disk; returns how to stop that. */
  onMore(listener: () => void): () => void;
  close(): Promise<void>;
};

/** Opens a log, or makes it. A last line that was torn by a crash was never seen by anybody and is dropped. */
export async function openEventLog(path: string, nowMs: () => number): Promise<EventLog> {
  const file = await open(path, "a+", 0o600);
  const ends = await findLineEnds(file);
  await file.truncate(ends.at(-1) ?? 0);
  const listeners = new Set<() => void>();
  let given = ends.length;
  let pending = "";
  let flushed = Promise.resolve();

  /** What came while the disk was busy goes there together. */
  const flush = async () => {
    const lines = Buffer.from(pending);
    pending = "";
    await file.appendFile(lines);
    await file.datasync();
    addLineEnds(ends, lines, ends.at(-1) ?? 0);
    for (const listener of listeners) listener();
  };

  return {
    append: (event) => {
      given += 1;
      const numbered: NumberedEvent = { number: given, atMs: nowMs(), event };
      if (pending === "") flushed = flushed.then(flush);
      pending += `${JSON.stringify(numbered)}\n`;
      return flushed;
    },
    lastNumber: () => ends.length,
    size: () => ends.at(-1) ?? 0,
    read: (after, maxBytes) => readLines(file, ends, after, maxBytes),
    onMore: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      await flushed.catch(() => {});
      await file.close();
    },
  };
}

async function readLines(file: FileHandle, ends: number[], after: number, maxBytes: number) {
  const start = ends[after - 1] ?? 0;
  let last = Math.min(after + 1, ends.length);
  while (last < ends.length && (ends[last] ?? 0) - start <= maxBytes) last += 1;
  if (after >= ends.length) return { lines: Buffer.alloc(0), last: after };
  const lines = Buffer.alloc((ends[last - 1] ?? 0) - start);
  await file.read(lines, 0, lines.length, start);
  return { lines, last };
}

async function findLineEnds(file: FileHandle): Promise<number[]> {
  const ends: number[] = [];
  const chunk = Buffer.alloc(1024 * 1024);
  for (let offset = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset);
    if (bytesRead === 0) return ends;
    addLineEnds(ends, chunk.subarray(0, bytesRead), offset);
    offset += bytesRead;
  }
}

function addLineEnds(ends: number[], bytes: Buffer, offset: number): void {
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1))
    ends.push(offset + at + 1);
}
