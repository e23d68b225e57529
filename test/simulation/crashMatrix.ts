import { playSeed } from "./playSeed.ts";
import { noFaults } from "./world/faults.ts";
import type { CallPoint } from "./world/life.ts";

export type CrashPoint = CallPoint & { failure: string | null };

/** One task on a quiet day: what every crash is tried on. On another one somebody commits to its branch first. */
const paths = {
  happy: { rates: noFaults, tasks: 1, validatesInContainers: false },
  contained: { rates: noFaults, tasks: 1, validatesInContainers: true },
  raced: { rates: noFaults, tasks: 1, validatesInContainers: false, isFirstDeliveryRaced: true },
} as const;
export const crashPaths = ["happy", "contained", "raced"] as const;
const seed = 7;

/**
 * Every await of a path, with one crash before its effect and one after it, each a history of its own. All must
 * converge, with nothing lost and nothing done twice.
 */
export async function crashMatrix(
  path: keyof typeof paths,
): Promise<{ awaits: number; points: CrashPoint[] }> {
  const { awaits } = await playSeed(seed, paths[path]);
  const points: CrashPoint[] = [];
  for (let number = 1; number <= awaits; number += 1)
    for (const side of ["before", "after"] as const) {
      const played = await playSeed(seed, { ...paths[path], crashAt: { number, side } });
      const [first] = played.violations;
      const odd = first ?? notAsExpected(played.statuses);
      points.push({ number, side, failure: odd && `${odd.invariant}: ${odd.what}` });
    }
  return { awaits, points };
}

/** One crash costs time, and nothing else: the task ends as it would have. */
function notAsExpected(statuses: Record<string, number>) {
  const ended = Object.keys(statuses).join(", ");
  return ended === "completed:delivered" ? null : { invariant: "ending", what: ended };
}
