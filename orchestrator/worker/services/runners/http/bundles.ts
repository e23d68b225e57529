import { bundleHeaders, bundleStoredSchema } from "../../../../../shared/contracts/runner.ts";
import type { Source } from "../../../../../shared/contracts/source.ts";
import type { SourceBundle } from "../../../domain/ports/agentContainers.ts";
import { withDeadline } from "./deadline.ts";
import { type RunnerAddress, refusal, send, unwrap } from "./request.ts";

/** A large repository takes its time, on both ways. */
const bundleTimeoutMs = 10 * 60_000;

/** Has the runner that can read a source make a bundle of it. */
export async function takeBundle(address: RunnerAddress, source: Source): Promise<SourceBundle> {
  const path = "/forge/bundle";
  const response = await withDeadline(bundleTimeoutMs, undefined, (signal) =>
    send(address, "POST", path, signal, { body: { source } }),
  );
  const commit = response.headers.get(bundleHeaders.commit);
  if (response.status !== 200 || response.body === null || commit === null)
    throw await refusal(path, response);
  const branch = decodeURIComponent(response.headers.get(bundleHeaders.branch) ?? "");
  return { commit, branch: branch === "" ? null : branch, body: response.body };
}

export async function putBundle(
  address: RunnerAddress,
  name: string,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const path = `/bundles/${encodeURIComponent(name)}`;
  await withDeadline(bundleTimeoutMs, undefined, async (signal) => {
    const response = await send(address, "PUT", path, signal, { body });
    unwrap(path, response.status, await response.text(), bundleStoredSchema);
  });
}
