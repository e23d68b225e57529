import { describe, expect, it } from "vitest";
import { costOf } from "../../orchestrator/worker/domain/cost.ts";
import { modelPrices, priceOf } from "../../orchestrator/worker/domain/modelPrices.ts";

const usage = {
  inputTokens: 5000,
  cachedInputTokens: 1000,
  cacheWriteTokens: 0,
  outputTokens: 300,
  reasoningTokens: 50,
  costMicroUsd: null,
};

describe("the cost of a run", () => {
  it("is what the agent says, whatever else is known", () => {
    const told = { ...usage, costMicroUsd: 7 };
    const prices = { inputMicroUsdPerMillion: 1, outputMicroUsdPerMillion: 1 };

    expect(costOf(told, prices, "gpt-5.5")).toEqual({ costMicroUsd: 7, costSource: "agent" });
  });

  it("is computed from configured prices before list prices", () => {
    const prices = { inputMicroUsdPerMillion: 2_000_000, outputMicroUsdPerMillion: 10_000_000 };

    expect(costOf(usage, prices, "gpt-5.5")).toEqual({
      costMicroUsd: 5000 * 2 + 300 * 10,
      costSource: "configured",
    });
  });

  it("is computed from list prices, cached input at its own, reasoning as output once", () => {
    expect(costOf(usage, {}, "gemini-2.5-pro")).toEqual({
      costMicroUsd: 4000 * 1.25 + 1000 * 0.125 + 300 * 10,
      costSource: "price_table",
    });
  });

  it("counts what goes into the cache at its own price", () => {
    const writing = { ...usage, cacheWriteTokens: 2000 };

    expect(costOf(writing, {}, "claude-sonnet-4-5").costMicroUsd).toBe(
      2000 * 3 + 1000 * 0.3 + 2000 * 3.75 + 300 * 15,
    );
  });

  it.each([null, "a-model-of-tomorrow", "gpt-5.5-turbo", "constructor"])(
    "is unknown, and not nothing, for the model %s",
    (model) => {
      expect(costOf(usage, {}, model)).toEqual({ costMicroUsd: null, costSource: null });
    },
  );

  it("finds a model by its name with the date of its release, or as Copilot writes it", () => {
    expect(priceOf("claude-sonnet-4-5-20250929")).toBe(modelPrices["claude-sonnet-4-5"]);
    expect(priceOf("gpt-4.1-2025-04-14")).toBe(modelPrices["gpt-4.1"]);
    expect(priceOf("claude-sonnet-4.5")).toBe(modelPrices["claude-sonnet-4-5"]);
  });
});
