import { playSeed } from "./playSeed.ts";
import { noFaults } from "./world/faults.ts";
import type { CallPoint } from "./world/life.ts";

export type CrashPoint = CallPoint & { failure: string | null };

const seed = 7;

/**
 * Every await of the happy path of one task on a quiet day, with one crash before its effect and one after it, each a history of its own.
 * All must converge, with nothing lost and nothing done twice.
 */
export async function crashMatrix(
  validatesInContainers = false,
): Promise<{ awaits: number; points: CrashPoint[] }> {
  const happyPath = { rates: noFaults, tasks: 1, validatesInContainers };
  const { awaits } = await playSeed(seed, happyPath);
  const points: CrashPoint[] = [];
  for (let number = 1; number <= awaits; number += 1)
    for (const side of ["before", "after"] as const) {
      const played = await playSeed(seed, { ...happyPath, crashAt: { number, side } });
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
