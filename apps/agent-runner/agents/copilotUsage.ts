import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import { copilotUsageSchema } from "./copilotWire.ts";

/** Where a run writes its tokens, below HOME. It is kept with the session: the next run counts on from it. */
export const copilotUsageFile = ".copilot/switchyard-usage.json";

/** The tokens that HOME tells, of all runs of its session; null when it tells none. */
export async function readCopilotUsage(home: string): Promise<TokenUsage | null> {
  const text = await readFile(join(home, copilotUsageFile), "utf8").catch(() => null);
  if (text === null) return null;
  const known = copilotUsageSchema.safeParse(parse(text));
  return known.success ? sum(Object.values(known.data.modelMetrics)) : null;
}

/** What an earlier run left there is no word of this one. */
export const clearCopilotUsage = (home: string): Promise<void> =>
  rm(join(home, copilotUsageFile), { force: true });

type Metrics = ReturnType<typeof copilotUsageSchema.parse>["modelMetrics"][string];

/** Input includes what came from, or went to, the cache; output includes reasoning. Its credits are no price. */
function sum(models: readonly Metrics[]): TokenUsage {
  const total = (pick: (usage: Metrics["usage"]) => number | null | undefined) =>
    models.reduce((sofar, { usage }) => sofar + (pick(usage) ?? 0), 0);
  return {
    inputTokens: total((usage) => usage.inputTokens),
    cachedInputTokens: total((usage) => usage.cacheReadTokens),
    cacheWriteTokens: total((usage) => usage.cacheWriteTokens),
    outputTokens: total((usage) => usage.outputTokens),
    reasoningTokens: total((usage) => usage.reasoningTokens),
    costMicroUsd: null,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
