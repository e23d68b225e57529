import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import type { doorbellSchema } from "../../shared/contracts/runner.ts";

const tries = 3;
const tryLimitMs = 5000;
const pauseMs = 500;

/** Tells whoever asked for it that something happened. They can do without: a bell that nobody hears is no fault. */
export function ringDoorbell(
  doorbell: z.infer<typeof doorbellSchema> | undefined,
  about: { executionId: string } | { patchSetId: string },
): void {
  if (doorbell !== undefined)
    void ring(doorbell.url, JSON.stringify({ ...about, token: doorbell.token }));
}

async function ring(url: string, body: string): Promise<void> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    if (attempt > 1) await sleep(pauseMs, undefined, { ref: false });
    if (await post(url, body)) return;
  }
}

async function post(url: string, body: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      redirect: "error",
      signal: AbortSignal.timeout(tryLimitMs),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
