/** Chance that comes again: the numbers of one seed are always the same (mulberry32). */
export type Chance = {
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of them. */
  oneOf<T>(choices: readonly T[]): T;
};

export function seededRandom(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    between,
    oneOf<T>(choices: readonly T[]): T {
      const choice = choices[between(0, choices.length - 1)];
      if (choice === undefined) throw new Error("There is nothing to choose from.");
      return choice;
    },
  };
}
