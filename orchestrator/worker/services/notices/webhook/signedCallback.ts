import type { Callbacks } from "../../../domain/ports/callbacks.ts";
import type { Clock } from "../../../domain/ports/clock.ts";
import type { Secret } from "../../../domain/ports/secrets.ts";
import type { Notice } from "../../../domain/task.ts";

const timeoutMs = 10_000;

/**
 * POSTs a notice signed as Standard Webhooks 1.0 says: `webhook-id`, `webhook-timestamp`, `webhook-signature`
 * (`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`). A redirect is a failure, since it could lead inside.
 */
export function signedCallbacks(secret: Secret | null, clock: Clock): Callbacks {
  return {
    async send(notice) {
      if (secret === null) return { kind: "failed", because: "no CALLBACK_SIGNING_SECRET is set" };
      if (notice.target === null) return { kind: "failed", because: "the notice has no address" };
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      try {
        const response = await post(notice, notice.target, secret, clock, deadline.signal);
        await response.body?.cancel();
        if (response.ok) return { kind: "delivered" };
        return { kind: "failed", because: `the address answered ${response.status}` };
      } catch (error) {
        const because = error instanceof Error ? error.name : "unknown";
        return { kind: "failed", because: `the address could not be reached (${because})` };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function post(
  notice: Notice,
  target: string,
  secret: Secret,
  clock: Clock,
  signal: AbortSignal,
) {
  const body = JSON.stringify({
    type: `task.${notice.body.status}`,
    timestamp: new Date(notice.body.atMs).toISOString(),
    data: notice.body,
  });
  const timestamp = String(Math.floor(clock.nowMs() / 1000));
  return fetch(target, {
    method: "POST",
    redirect: "manual",
    signal,
    headers: {
      "content-type": "application/json",
      "webhook-id": notice.id,
      "webhook-timestamp": timestamp,
      "webhook-signature": await sign(secret, `${notice.id}.${timestamp}.${body}`),
    },
    body,
  });
}

async function sign(secret: Secret, content: string): Promise<string> {
  const key = await crypto.subtle.importKey(
    "raw",
    keyBytes(secret.reveal()),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(content));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(mac)))}`;
}

/** `whsec_` and base64 as the standard writes secrets; any other text is taken as it is. */
function keyBytes(secret: string): Uint8Array {
  if (!secret.startsWith("whsec_")) return new TextEncoder().encode(secret);
  return Uint8Array.from(atob(secret.slice("whsec_".length)), (c) => c.charCodeAt(0));
}
