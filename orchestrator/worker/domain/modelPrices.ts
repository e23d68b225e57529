/** Micro-dollars per token, which is dollars per million tokens. */
export type ModelPrice = {
  input: number;
  /** Input that came from the cache. */
  cachedInput: number;
  /** Input that went into the cache. */
  cacheWrite: number;
  output: number;
};

/**
 * List prices of models, as the data of `@pydantic/genai-prices` 0.1.8 has them. Some services ask more for a long
 * request; a run tells only the sum of its requests, so here stands what a short one costs.
 */
export const pricesAsOf = "2026-11-21";

const price = (
  input: number,
  cachedInput: number,
  output: number,
  cacheWrite: number = input,
): ModelPrice => ({ input, cachedInput, cacheWrite, output });

export const modelPrices: Readonly<Record<string, ModelPrice>> = {
  "claude-fable-5": price(10, 1, 50, 12.5),
  "claude-haiku-4-5": price(1, 0.1, 5, 1.25),
  "claude-opus-4-1": price(15, 1.5, 75, 18.75),
  "claude-opus-4-5": price(5, 0.5, 25, 6.25),
  "claude-opus-5": price(5, 0.5, 25, 6.25),
  "claude-opus-5-5": price(4, 0.2, 20, 5),
  "claude-sonnet-4": price(3, 0.3, 15, 3.75),
  "claude-sonnet-4-5": price(3, 0.3, 15, 3.75),
  "claude-sonnet-5": price(2, 0.2, 10, 2.5),
  "gemini-2.5-flash": price(0.3, 0.03, 2.5),
  "gemini-2.5-flash-lite": price(0.1, 0.01, 0.4),
  "gemini-2.5-pro": price(1.25, 0.125, 10),
  "gemini-3-flash-preview": price(0.5, 0.05, 3),
  "gemini-3-pro-preview": price(2, 0.2, 12),
  "gemini-3.1-pro-preview": price(2, 0.2, 12),
  "gemini-3.5-flash": price(1.5, 0.15, 9),
  "gemini-3.8-flash": price(0.75, 0.075, 3.75),
  "gpt-4.1": price(2, 0.5, 8),
  "gpt-5": price(1.25, 0.125, 10),
  "gpt-5-codex": price(1.25, 0.125, 10),
  "gpt-5-mini": price(0.25, 0.025, 2),
  "gpt-5.1": price(1.25, 0.125, 10),
  "gpt-5.1-codex": price(1.25, 0.125, 10),
  "gpt-5.1-codex-mini": price(0.25, 0.025, 2),
  "gpt-5.2": price(1.75, 0.175, 14),
  "gpt-5.2-codex": price(1.75, 0.175, 14),
  "gpt-5.3-codex": price(1.75, 0.175, 14),
  "gpt-5.4": price(2.5, 0.25, 15),
  "gpt-5.4-mini": price(0.75, 0.075, 4.5),
  "gpt-5.5": price(5, 0.5, 30),
  "gpt-5.6-sol": price(4, 0.4, 20, 5),
  "gpt-6-astra": price(10, 1, 50, 12.5),
  "gpt-6-luna": price(0.1, 0.01, 0.5, 0.125),
  "gpt-6-sol": price(2, 0.2, 10, 2.5),
};

/** Null for a model that is not listed under exactly this name, apart from the date of its release. */
export function priceOf(model: string): ModelPrice | null {
  const name = model.toLowerCase().replace(/-(20\d{6}|20\d\d-\d\d-\d\d|latest)$/, "");
  const written = name.startsWith("claude-") ? name.replaceAll(".", "-") : name;
  return Object.hasOwn(modelPrices, written) ? (modelPrices[written] ?? null) : null;
}
