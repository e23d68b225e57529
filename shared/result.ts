import type { ErrorCode } from "./errors.ts";

/** An error as data: what crosses RPC, runner HTTP and the queue. `message` is safe to show. */
export type WireError = { code: ErrorCode; message: string };

/** The answer of every call that crosses a process: a thrown error would lose its code there. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: WireError };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
