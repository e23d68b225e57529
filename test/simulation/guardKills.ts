import { type GuardName, guardNames, switchOff } from "../../orchestrator/worker/domain/guards.ts";
import { isFair } from "./fairness.ts";
import { playSeed } from "./playSeed.ts";

/**
 * Guards that stand for each other: removing one alone does no harm, removing all of a set must be seen. The
 * sets say why.
 */
const standFor: Partial<Record<GuardName, readonly GuardName[]>> = {
  // A second settlement, delivery or end would write its notices again, which their key refuses.
  settle_once: ["notice_key"],
  deliver_once: ["notice_key"],
  end_patch_once: ["notice_key"],
  notice_key: ["settle_once", "deliver_once", "end_patch_once"],
  // A message that comes again starts a claimed attempt at once; the sweep would, later.
  redelivery_starts_again: ["sweep_hands_over_again"],
};

export type GuardKill = {
  guard: GuardName;
  alsoOff: readonly GuardName[];
  /** The first seed that sees the harm, and what it sees; null = nobody noticed. */
  killedBy: { seed: number | "fairness"; invariant: string; what: string } | null;
};

/** Takes a guard away and looks for a seed that sees the harm. */
export async function killGuard(guard: GuardName, maxSeeds: number): Promise<GuardKill> {
  const alsoOff = standFor[guard] ?? [];
  switchOff([guard, ...alsoOff]);
  try {
    return { guard, alsoOff, killedBy: await findHarm(guard, maxSeeds) };
  } finally {
    switchOff([]);
  }
}

async function findHarm(guard: GuardName, maxSeeds: number): Promise<GuardKill["killedBy"]> {
  if (guard === "fair_turn") {
    const { fair, because } = await isFair(200);
    return fair ? null : { seed: "fairness", invariant: "fair turns", what: because };
  }
  for (let seed = 1; seed <= maxSeeds; seed += 1) {
    const { violations } = await playSeed(seed);
    const [first] = violations;
    if (first !== undefined) return { seed, ...first };
  }
  return null;
}

export async function killAllGuards(maxSeeds: number): Promise<GuardKill[]> {
  const kills: GuardKill[] = [];
  for (const guard of guardNames) kills.push(await killGuard(guard, maxSeeds));
  return kills;
}
