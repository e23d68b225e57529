import fc from "fast-check";

/**
 * One of the "Properties to test" of the patch format, as a check that throws where it does not hold. `share` is its
 * part of all runs, in the thousandth. `check` answers with the number of cases that were judged.
 */
export type FormatProperty = {
  name: string;
  share: number;
  check(runs: number, seed: number): Promise<number>;
};

/** A property of one case: `holds` throws where it does not hold. Cases that say nothing call `fc.pre`. */
export function property<T>(
  name: string,
  share: number,
  cases: fc.Arbitrary<T>,
  holds: (one: T) => Promise<void> | void,
): FormatProperty {
  return {
    name,
    share,
    async check(numRuns, seed) {
      const checked = fc.asyncProperty(cases, async (one) => holds(one));
      await fc.assert(checked, { numRuns, seed });
      return numRuns;
    },
  };
}
