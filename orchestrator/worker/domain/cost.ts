import type { TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import type { ProviderConfig } from "../../../shared/contracts/provider.ts";

/** The agent's own figure, else tokens × configured prices, else unknown. Micro-dollars, rounded up. */
export function costMicroUsd(
  usage: TokenUsage,
  prices: ProviderConfig["costPerToken"],
): number | null {
  if (usage.costMicroUsd !== null) return usage.costMicroUsd;
  const { inputMicroUsdPerMillion: input, outputMicroUsdPerMillion: output } = prices;
  if (input === undefined || output === undefined) return null;
  return Math.ceil((usage.inputTokens * input + usage.outputTokens * output) / 1_000_000);
}
