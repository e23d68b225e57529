import { CannotStart } from "./keptProcess.ts";

/** Whether something answers there as it should. */
export async function answers(url: string, headers: Record<string, string> = {}): Promise<boolean> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}

/** The same of the worker. Throws CannotStart when it refuses its own configuration: waiting would not help. */
export async function workerAnswers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
  const body = (await response.json()) as { error?: { message?: string } };
  const said = body.error?.message ?? "";
  if (said.startsWith("This deployment's configuration is wrong")) throw new CannotStart(said);
  return response.ok;
}
