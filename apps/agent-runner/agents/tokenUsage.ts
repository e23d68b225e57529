import type { TokenUsage } from "../../../shared/contracts/agentEvent.ts";

/** What was used since a session had come to `earlier`. */
export const usageSince = (earlier: TokenUsage, total: TokenUsage): TokenUsage => ({
  inputTokens: Math.max(0, total.inputTokens - earlier.inputTokens),
  cachedInputTokens: Math.max(0, total.cachedInputTokens - earlier.cachedInputTokens),
  cacheWriteTokens: Math.max(0, total.cacheWriteTokens - earlier.cacheWriteTokens),
  outputTokens: Math.max(0, total.outputTokens - earlier.outputTokens),
  reasoningTokens: Math.max(0, total.reasoningTokens - earlier.reasoningTokens),
  costMicroUsd: null,
});

export const noUsage: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  costMicroUsd: null,
};
