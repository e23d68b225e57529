import type { CostSource, TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import type { ProviderConfig } from "../../../shared/contracts/provider.ts";
import { type ModelPrice, priceOf } from "./modelPrices.ts";

export type Cost = { costMicroUsd: number | null; costSource: CostSource | null };

/**
 * The agent's own figure, else tokens × configured prices, else tokens × list prices where `listModel` is known
 * and paid for by the token, else unknown. Micro-dollars, rounded up.
 */
export function costOf(
  usage: TokenUsage,
  configured: ProviderConfig["costPerToken"],
  listModel: string | null,
): Cost {
  if (usage.costMicroUsd !== null)
    return { costMicroUsd: usage.costMicroUsd, costSource: usage.costSource ?? "agent" };
  const { inputMicroUsdPerMillion: input, outputMicroUsdPerMillion: output } = configured;
  if (input !== undefined && output !== undefined)
    return {
      costMicroUsd: Math.ceil((usage.inputTokens * input + usage.outputTokens * output) / 1e6),
      costSource: "configured",
    };
  const price = listModel === null ? null : priceOf(listModel);
  return price === null
    ? { costMicroUsd: null, costSource: null }
    : { costMicroUsd: listCost(usage, price), costSource: "price_table" };
}

/** Counted in whole thousandths: sums of such prices as floats end a hair above a whole number. */
function listCost(usage: TokenUsage, price: ModelPrice): number {
  const { cachedInputTokens, cacheWriteTokens } = usage;
  const freshTokens = Math.max(0, usage.inputTokens - cachedInputTokens - cacheWriteTokens);
  const milli =
    Math.round(price.input * 1000) * freshTokens +
    Math.round(price.cachedInput * 1000) * cachedInputTokens +
    Math.round(price.cacheWrite * 1000) * cacheWriteTokens +
    Math.round(price.output * 1000) * usage.outputTokens;
  return Math.ceil(milli / 1000);
}
