import type {
  Attempt,
  EventSource,
  StreamEvent,
  SupervisorMemory,
} from "../../orchestrator/worker/domain/ports/supervisorMemory.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";

/** As in supervisorSql.ts: how an append is cut into rows shows in the cursors and in the pages of `read`. */
const maxChunkChars = 64 * 1024;

type StoredEvent = { atMs: number; event: AgentEvent };
type Chunk = {
  fence: number;
  firstNumber: number;
  lastNumber: number;
  source: EventSource;
  sourceCursor: number;
  storedAtMs: number;
  events: string;
};

/** All that the memory holds. Rows are text and never changed, so that a snapshot shares them. */
export type MemorySnapshot = {
  attempts: ReadonlyMap<number, string>;
  chunks: readonly Chunk[];
  chunkCount: number;
  wakeAtMs: number | null;
};

export type MemorySupervisor = SupervisorMemory & {
  /** When the alarm rings, null = never. */
  wakeAtMs(): number | null;
  /** The alarm has rung. */
  clearWake(): void;
  /** What is durable now; `restore` goes back to it, as a crash does. */
  snapshot(): MemorySnapshot;
  restore(snapshot: MemorySnapshot): void;
};

/** The memory of a supervisor without its Durable Object; supervisorMemorySuite.ts holds the two against each other. */
export function memorySupervisor(
  nowMs: () => number,
  changed: () => void = () => {},
): MemorySupervisor {
  let attempts = new Map<number, string>();
  let chunks: Chunk[] = [];
  let wakeAtMs: number | null = null;

  const lastChunk = (fence: number, source?: EventSource) =>
    chunks.findLast(
      (chunk) => chunk.fence === fence && (source === undefined || chunk.source === source),
    );
  const add = (fence: number, source: EventSource, cursor: number, events: StoredEvent[]) => {
    const firstNumber = (lastChunk(fence)?.lastNumber ?? 0) + 1;
    chunks.push({
      fence,
      firstNumber,
      lastNumber: firstNumber + events.length - 1,
      source,
      sourceCursor: Math.max(0, cursor),
      storedAtMs: nowMs(),
      events: JSON.stringify(events),
    });
  };

  return {
    attempts: () =>
      [...attempts]
        .sort(([one], [other]) => one - other)
        .map(([, attempt]) => JSON.parse(attempt) as Attempt),
    save: (attempt) => void attempts.set(attempt.fence, JSON.stringify(attempt)),

    append(fence, source, sourceCursor, events) {
      let left = events.length;
      for (const part of inChunks(events)) {
        left -= part.length;
        add(fence, source, sourceCursor - left, part);
      }
      changed();
    },

    cursor: (fence, source) => lastChunk(fence, source)?.sourceCursor ?? 0,
    lastNumber: (fence) => lastChunk(fence)?.lastNumber ?? 0,
    lastEventAtMs: (fence, source) => lastChunk(fence, source)?.storedAtMs ?? null,
    read: (after, limit) => readChunks(chunks, after, limit),

    async setWakeAt(atMs) {
      wakeAtMs = Math.max(atMs, nowMs());
    },
    async forgetAll() {
      attempts = new Map();
      chunks = [];
      wakeAtMs = null;
    },

    wakeAtMs: () => wakeAtMs,
    clearWake() {
      wakeAtMs = null;
    },
    snapshot: () => ({
      attempts: new Map(attempts),
      chunks,
      chunkCount: chunks.length,
      wakeAtMs,
    }),
    restore(snapshot) {
      attempts = new Map(snapshot.attempts);
      chunks = snapshot.chunks.slice(0, snapshot.chunkCount);
      wakeAtMs = snapshot.wakeAtMs;
    },
  };
}

/** Whole rows, until there are as many events as were asked for. */
function readChunks(
  chunks: readonly Chunk[],
  after: { fence: number; number: number },
  limit: number,
): StreamEvent[] {
  const rows = chunks
    .filter(
      ({ fence, lastNumber }) =>
        fence > after.fence || (fence === after.fence && lastNumber > after.number),
    )
    .sort((one, other) => one.fence - other.fence || one.firstNumber - other.firstNumber);
  const found: StreamEvent[] = [];
  for (const { fence, firstNumber, events } of rows) {
    const numbered = (JSON.parse(events) as StoredEvent[]).map(({ atMs, event }, index) => ({
      fence,
      number: firstNumber + index,
      atMs,
      event,
    }));
    found.push(...numbered.filter((event) => fence > after.fence || event.number > after.number));
    if (found.length >= limit) break;
  }
  return found;
}

function inChunks(events: readonly StoredEvent[]): StoredEvent[][] {
  const parts: StoredEvent[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const { atMs, event } of events) {
    const size = JSON.stringify(event).length;
    if (chars + size > maxChunkChars) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)?.push({ atMs, event });
    chars += size;
  }
  return parts;
}
