/** All chance of a simulated history: one seeded generator (mulberry32), so that a seed tells the whole story. */
export type Chance = {
  /** In [0, 1). */
  next(): number;
  /** A whole number from 0 to n - 1. */
  below(n: number): number;
  between(min: number, max: number): number;
  happens(probability: number): boolean;
  pick<T>(values: readonly [T, ...T[]]): T;
};

export function chanceOf(seed: number): Chance {
  let state = (seed * 0x9e3779b9 + 0x85ebca6b) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(next() * n);
  return {
    next,
    below,
    between: (min, max) => min + below(max - min + 1),
    happens: (probability) => probability > 0 && next() < probability,
    pick: (values) => values[below(values.length)] ?? values[0],
  };
}
