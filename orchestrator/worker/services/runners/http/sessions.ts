import {
  sessionBytesHeader,
  sessionLimits,
  sessionStoredSchema,
} from "../../../../../shared/contracts/sessionArchive.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { withDeadline } from "./deadline.ts";
import { type RunnerAddress, refusal, send, unwrap } from "./request.ts";

const sessionTimeoutMs = 2 * 60_000;

const pathOf = (executionId: string): string => `/runs/${encodeURIComponent(executionId)}/session`;

/** Hands the archive of a finished run's session to `store`, which reads it to its end. */
export async function takeSession(
  address: RunnerAddress,
  executionId: string,
  store: (bytes: number, body: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<void> {
  const path = pathOf(executionId);
  await withDeadline(sessionTimeoutMs, undefined, async (signal) => {
    const response = await send(address, "GET", path, signal);
    if (response.status !== 200 || response.body === null) throw await refusal(path, response);
    const bytes = Number(response.headers.get(sessionBytesHeader));
    if (bytes > 0 && bytes <= sessionLimits.archiveBytes) return store(bytes, response.body);
    await response.body.cancel();
    throw new SwitchyardError("body_too_large", `A session of ${bytes} bytes is not kept.`);
  });
}

/** Gives a run that has not begun a session to go on with. Where it has begun, nothing changes. */
export async function putSession(
  address: RunnerAddress,
  executionId: string,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const path = pathOf(executionId);
  await withDeadline(sessionTimeoutMs, undefined, async (signal) => {
    const response = await send(address, "PUT", path, signal, { body });
    unwrap(path, response.status, await response.text(), sessionStoredSchema);
  });
}
