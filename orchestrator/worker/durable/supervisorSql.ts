import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type {
  Attempt,
  EventSource,
  StreamEvent,
  SupervisorMemory,
} from "../domain/ports/supervisorMemory.ts";

/** A row of events holds about this much, so that a talkative agent writes few rows. */
const maxChunkChars = 64 * 1024;

const tables = `
  create table if not exists attempts (fence integer primary key, attempt text not null);
  create table if not exists chunks (
    fence integer not null, first_number integer not null, last_number integer not null,
    source text not null, source_cursor integer not null, stored_at_ms integer not null,
    events text not null, primary key (fence, first_number)
  ) without rowid`;

type ChunkRow = { fence: number; first_number: number; events: string };
type StoredEvent = { atMs: number; event: AgentEvent };

/**
 * The memory of a supervisor in the SQLite of its Durable Object: one row an attempt, one row a chunk of events.
 * `changed` is called after events have become durable.
 */
export function supervisorSql(
  storage: DurableObjectStorage,
  nowMs: () => number,
  changed: () => void,
): SupervisorMemory {
  let prepared = false;
  /** Made at the first use, and again after all was forgotten: an object that holds nothing costs nothing. */
  const sql = (): SqlStorage => {
    if (!prepared) storage.sql.exec(tables);
    prepared = true;
    return storage.sql;
  };

  const lastChunk = (fence: number, source?: EventSource) => {
    const ofSource = source === undefined ? "" : "and source = ?";
    const values = source === undefined ? [fence] : [fence, source];
    const query = `select last_number, source_cursor, stored_at_ms from chunks
      where fence = ? ${ofSource} order by first_number desc limit 1`;
    return sql()
      .exec<{ last_number: number; source_cursor: number; stored_at_ms: number }>(query, ...values)
      .toArray()[0];
  };

  return {
    attempts: () =>
      sql()
        .exec<{ attempt: string }>("select attempt from attempts order by fence")
        .toArray()
        .map((row) => JSON.parse(row.attempt) as Attempt),

    save(attempt) {
      sql().exec(
        `insert into attempts (fence, attempt) values (?, ?)
         on conflict (fence) do update set attempt = excluded.attempt
         where attempt <> excluded.attempt`,
        attempt.fence,
        JSON.stringify(attempt),
      );
    },

    append(fence, source, sourceCursor, events) {
      const rows = sql();
      storage.transactionSync(() => {
        let number = (lastChunk(fence)?.last_number ?? 0) + 1;
        const chunks = inChunks(events);
        for (const [index, chunk] of chunks.entries()) {
          const left = chunks.slice(index + 1).reduce((sum, later) => sum + later.length, 0);
          rows.exec(
            "insert into chunks values (?, ?, ?, ?, ?, ?, ?)",
            fence,
            number,
            number + chunk.length - 1,
            source,
            Math.max(0, sourceCursor - left),
            nowMs(),
            `[${chunk.join(",")}]`,
          );
          number += chunk.length;
        }
      });
      changed();
    },

    cursor: (fence, source) => lastChunk(fence, source)?.source_cursor ?? 0,
    lastNumber: (fence) => lastChunk(fence)?.last_number ?? 0,
    lastEventAtMs: (fence, source) => lastChunk(fence, source)?.stored_at_ms ?? null,

    read(after, limit) {
      const rows = sql().exec<ChunkRow>(
        `select fence, first_number, events from chunks
         where (fence = ? and last_number > ?) or fence > ? order by fence, first_number`,
        after.fence,
        after.number,
        after.fence,
      );
      const found: StreamEvent[] = [];
      for (const row of rows) {
        found.push(...unpack(row, after));
        if (found.length >= limit) break;
      }
      return found;
    },

    setWakeAt: (atMs) => storage.setAlarm(Math.max(atMs, nowMs())),

    forgetAll() {
      prepared = false;
      return storage.deleteAll();
    },
  };
}

function unpack(row: ChunkRow, after: { fence: number; number: number }): StreamEvent[] {
  const stored = JSON.parse(row.events) as StoredEvent[];
  const numbered = stored.map(({ atMs, event }, index) => ({
    fence: row.fence,
    number: row.first_number + index,
    atMs,
    event,
  }));
  return row.fence === after.fence ? numbered.filter((e) => e.number > after.number) : numbered;
}

/** Cuts events, as JSON, into rows of a bounded size; an event is never split. */
function inChunks(events: readonly StoredEvent[]): string[][] {
  const chunks: string[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const { atMs, event } of events) {
    const text = JSON.stringify({ atMs, event } satisfies StoredEvent);
    if (chars + text.length > maxChunkChars) {
      chunks.push([]);
      chars = 0;
    }
    chunks.at(-1)?.push(text);
    chars += text.length;
  }
  return chunks;
}
