/** What a task costs: operations of every binding, as Cloudflare bills them. */
export type Operations = {
  d1: { batchesThatWrite: number; reads: number; rowsWritten: number };
  queueOperations: number;
  durableObject: { requests: number; rowsWritten: number; alarmsSet: number };
  r2: { writes: number; reads: number };
};

/** Of one task with one validation command, when nothing goes wrong and nobody watches; a test holds them exactly. */
export const operationsOfOneTask: Operations = {
  d1: { batchesThatWrite: 8, reads: 21, rowsWritten: 47 },
  queueOperations: 3,
  durableObject: { requests: 5, rowsWritten: 24, alarmsSet: 5 },
  r2: { writes: 1, reads: 0 },
};

/** Of every further minute in which the agent works. */
export const operationsOfOneMinute: Operations = {
  d1: { batchesThatWrite: 0, reads: 2, rowsWritten: 0 },
  queueOperations: 0,
  durableObject: { requests: 2, rowsWritten: 4, alarmsSet: 2 },
  r2: { writes: 0, reads: 0 },
};

/** What a task costs more when two commands of its validation print more than their tails hold. */
export const operationsOfTwoOutputs = { r2Writes: 2, r2Reads: 0, objectRows: 2 };
