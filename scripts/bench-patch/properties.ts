import { formatProperties } from "../../test/patch/properties/formatProperties.ts";

/** How one property fared; `fault` is null when it held in all its runs. */
export type PropertyRuns = { name: string; runs: number; fault: string | null };

/** Plays every property of the format, each with its share, so many times in all. */
export async function* playProperties(runs: number, seed: number): AsyncGenerator<PropertyRuns> {
  for (const { name, share, check } of formatProperties) {
    const own = Math.max(1, Math.round((runs * share) / 1_000));
    try {
      yield { name, runs: await check(own, seed), fault: null };
    } catch (error) {
      yield { name, runs: 0, fault: String(error).slice(0, 2_000) };
    }
  }
}
