import { largestOutputBytes, outputBytesHeader } from "../../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { withDeadline } from "./deadline.ts";
import { type RunnerAddress, refusal, send } from "./request.ts";

const outputTimeoutMs = 2 * 60_000;

/** Hands what a command of a finished validation printed to `store`, which reads it to its end. */
export async function takeOutput(
  address: RunnerAddress,
  patchSetId: string,
  command: number,
  store: (bytes: number, body: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<void> {
  const path = `/patches/${encodeURIComponent(patchSetId)}/output?command=${command}`;
  await withDeadline(outputTimeoutMs, undefined, async (signal) => {
    const response = await send(address, "GET", path, signal);
    if (response.status !== 200 || response.body === null) throw await refusal(path, response);
    const bytes = Number(response.headers.get(outputBytesHeader));
    if (bytes > 0 && bytes <= largestOutputBytes) return store(bytes, response.body);
    await response.body.cancel();
    throw new SwitchyardError("body_too_large", `An output of ${bytes} bytes is not kept.`);
  });
}
