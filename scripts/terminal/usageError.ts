/** A wrong call: the message says how to call it right. */
export class UsageError extends Error {}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
