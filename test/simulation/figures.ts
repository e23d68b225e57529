import { faultKinds } from "./world/faults.ts";
import type { HistoryResult } from "./world/history.ts";

/** What many seeds came to. */
export type Figures = {
  seeds: number;
  firstSeed: number;
  failures: { seed: number; invariant: string; what: string }[];
  injected: Record<string, number>;
  statuses: Record<string, number>;
  tasksMedian: number;
  awaitsMedian: number;
  p99StepsToConverge: number;
  steps: number;
  /** Of all traces, in the order of the seeds. */
  hash: string;
};

/** One seed's share of the figures: what a worker thread sends home. */
export type SeedFigures = Omit<HistoryResult, "story">;

/** The 32 bits of a text, mixed: order counts. */
const mix = (hash: number, text: string): number => {
  let mixed = hash;
  for (let at = 0; at < text.length; at += 1)
    mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return mixed;
};

export function figuresOf(results: readonly SeedFigures[]): Figures {
  const sorted = [...results].sort((a, b) => a.seed - b.seed);
  const add = (sums: Record<string, number>, more: Record<string, number>) => {
    for (const [name, n] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + n;
    return sums;
  };
  return {
    seeds: sorted.length,
    firstSeed: sorted[0]?.seed ?? 0,
    failures: sorted.flatMap(({ seed, violations }) =>
      violations.slice(0, 1).map((violation) => ({ seed, ...violation })),
    ),
    injected: sorted.reduce<Record<string, number>>(
      (sums, { injected }) => add(sums, injected),
      Object.fromEntries(faultKinds.map((kind) => [kind, 0])),
    ),
    statuses: sorted.reduce<Record<string, number>>(
      (sums, { statuses }) => add(sums, statuses),
      {},
    ),
    tasksMedian: quantile(
      sorted.map(({ tasks }) => tasks),
      0.5,
    ),
    awaitsMedian: quantile(
      sorted.map(({ awaits }) => awaits),
      0.5,
    ),
    p99StepsToConverge: quantile(
      sorted.map(({ stepsToConverge }) => stepsToConverge),
      0.99,
    ),
    steps: sorted.reduce((sum, { steps }) => sum + steps, 0),
    hash: sorted
      .reduce((hash, one) => mix(hash, one.hash), 0x811c9dc5)
      .toString(16)
      .padStart(8, "0"),
  };
}

/** The value below which that share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
