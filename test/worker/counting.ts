import type { Operations } from "./expectedOperations.ts";

const none = (): Operations => ({
  d1: { batchesThatWrite: 0, reads: 0, rowsWritten: 0 },
  queueOperations: 0,
  durableObject: { requests: 0, rowsWritten: 0, alarmsSet: 0 },
  r2: { writes: 0, reads: 0 },
});

let counted = none();

export const startCounting = (): void => {
  counted = none();
};
export const operations = (): Operations => structuredClone(counted);

export const countRequest = (): void => {
  counted.durableObject.requests += 1;
};
/** A message that is delivered is read and deleted. */
export const countMessages = (messages: number): void => {
  counted.queueOperations += 2 * messages;
};
let heartbeatSeconds: string | null = null;

/** Keeps alarms from firing by themselves in the middle of a count. */
export const slowHeartbeat = (seconds = 600): void => {
  heartbeatSeconds = String(seconds);
};

/** The bindings, each behind a proxy that counts. */
export function counting(env: WorkerEnv): WorkerEnv {
  return {
    ...env,
    ...(heartbeatSeconds === null ? {} : { HEARTBEAT_SECONDS: heartbeatSeconds }),
    DB: proxy(env.DB, {
      batch: async (db, statements) => {
        const results = (await db.batch(statements as D1PreparedStatement[])) as D1Result[];
        note(results);
        return results;
      },
      prepare: (db, query) => statement(db.prepare(query as string)),
    }),
    TASK_QUEUE: proxy(env.TASK_QUEUE, {
      send: (queue, message, options) => {
        counted.queueOperations += 1;
        return queue.send(message as never, options as QueueSendOptions);
      },
    }),
    ARTIFACTS: proxy(env.ARTIFACTS, {
      put: (bucket, key, value) => {
        counted.r2.writes += 1;
        return bucket.put(key as string, value as string);
      },
      get: (bucket, key) => {
        counted.r2.reads += 1;
        return bucket.get(key as string);
      },
    }),
  };
}

/** The storage of a Durable Object counts in place, since the runtime wants its own object. */
export function countStorage(storage: DurableObjectStorage): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperty(sql, "exec", {
    value: (query: string, ...values: SqlStorageValue[]) => {
      const cursor = exec(query, ...values);
      if (!/^\s*(select|create)/i.test(query))
        counted.durableObject.rowsWritten += cursor.rowsWritten;
      return cursor;
    },
  });
  Object.defineProperty(storage, "setAlarm", {
    value: (atMs: number) => {
      counted.durableObject.alarmsSet += 1;
      counted.durableObject.rowsWritten += 1;
      return setAlarm(atMs);
    },
  });
}

function note(results: D1Result[]): void {
  const written = results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
  counted.d1.rowsWritten += written;
  if (written > 0) counted.d1.batchesThatWrite += 1;
  else counted.d1.reads += 1;
}

/** A statement run by itself: a read, or a write that tells its rows. Inside a batch the batch counts. */
function statement(real: D1PreparedStatement): D1PreparedStatement {
  return proxy(real, {
    bind: (one, ...values) => statement(one.bind(...values)),
    raw: (one) => {
      counted.d1.reads += 1;
      return one.raw();
    },
    all: (one) => {
      counted.d1.reads += 1;
      return one.all();
    },
    run: async (one) => {
      const result = await one.run();
      note([result]);
      return result;
    },
  });
}

type Overrides<T> = { [K in keyof T]?: (target: T, ...input: unknown[]) => unknown };

function proxy<T extends object>(real: T, overrides: Overrides<T>): T {
  return new Proxy(real, {
    get(target, name) {
      const override = overrides[name as keyof T];
      if (override !== undefined) return (...input: unknown[]) => override(target, ...input);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
