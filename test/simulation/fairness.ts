import { playSeed } from "./playSeed.ts";
import { noFaults } from "./world/faults.ts";

/**
 * One organization has many tasks queued before another sends its single one. With two slots, that one must be
 * claimed with the first slot that gets free: at most one claim of the other comes between.
 */
export async function isFair(crowd: number): Promise<{ fair: boolean; because: string }> {
  const { claimsBefore } = await playSeed(1, {
    rates: noFaults,
    settings: { maxLiveExecutions: 2, maxLivePerOrganization: 2 },
    crowd,
  });
  return claimsBefore <= 1
    ? { fair: true, because: `${claimsBefore} claims came between` }
    : { fair: false, because: `${claimsBefore} claims of the crowd came between` };
}
