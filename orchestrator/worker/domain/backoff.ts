const minuteMs = 60_000;

/** When a task goes back to the queue after its attempt number `attempt` (from 1) ended badly: 5 s, 20 s, 80 s … 15 min. */
export function retryDelayMs(attempt: number): number {
  return Math.min(5_000 * 4 ** (attempt - 1), 15 * minuteMs);
}

/** How long a task that found no capacity or no reachable provider waits before it is looked at again. */
export function capacityDelayMs(delays: number): number {
  return Math.min(5_000 * 2 ** Math.min(delays, 10), 2 * minuteMs);
}

/** The sweep sends a message again when the last one is this old; the wait doubles with every sending, up to a day. */
export function resendDelayMs(baseMs: number, sends: number): number {
  return Math.min(baseMs * 2 ** Math.min(Math.max(sends - 1, 0), 20), 24 * 60 * minuteMs);
}

/** A notice is tried again after 5 s, 25 s, 2 min, 10 min, 52 min, then given up. */
export const maxNoticeAttempts = 6;
export function noticeDelayMs(attempts: number): number {
  return 5_000 * 5 ** Math.max(attempts - 1, 0);
}

/** A supervisor that meets an error looks again after 1 s, 2 s, 4 s … 1 min. */
export function tickDelayMs(failures: number): number {
  return Math.min(1_000 * 2 ** Math.min(Math.max(failures - 1, 0), 6), minuteMs);
}
