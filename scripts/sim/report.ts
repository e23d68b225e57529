import type { SimReport } from "../sim.ts";

/** Invariants whose part does not exist yet; they become applicable with it. */
export const notYetApplicable = [
  { invariant: "I5", because: "there are no budgets yet" },
  { invariant: "I7", because: "no provider calls back yet; a doorbell carries no state" },
] as const;

/** The figures as a person reads them. */
export function printReport({ figures, guards, crashPoints, seconds }: SimReport): void {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const killed = guards.filter(({ killedBy }) => killedBy !== null);
  say(`seeds            ${figures.seeds} from ${figures.firstSeed}, in ${seconds} s`);
  say(`failures         ${figures.failures.length}`);
  say(`a seed, median   ${figures.tasksMedian} tasks, ${figures.awaitsMedian} awaits`);
  say(
    `to converge      ${figures.p99StepsToConverge} steps at the 99th percentile, after the last fault`,
  );
  if (guards.length > 0) say(`guards killed    ${killed.length}/${guards.length}`);
  if (crashPoints !== null) say(`crash points     ${crashPoints.converged}/${crashPoints.tried}`);
  say(`trace hash       ${figures.hash}`);
  say(
    `not applicable   ${notYetApplicable.map(({ invariant, because }) => `${invariant} (${because})`).join(", ")}`,
  );
  say(`\nfaults           ${listOf(figures.injected)}`);
  say(`endings          ${listOf(figures.statuses)}`);
  for (const { guard, alsoOff, killedBy } of guards) {
    const off = alsoOff.length === 0 ? guard : `${guard} (with ${alsoOff.join(", ")})`;
    say(
      killedBy === null
        ? `✗ nobody notices that ${off} is gone`
        : `  ${off}: ${killedBy.invariant}, seed ${killedBy.seed}`,
    );
  }
  for (const failure of crashPoints?.failures ?? []) say(`✗ ${failure}`);
  for (const { seed, invariant, what } of figures.failures.slice(0, 20))
    say(`✗ seed ${seed}: ${invariant}: ${what}   (npm run sim -- --seed ${seed} --trace)`);
}

const listOf = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${name} ${n}`)
    .join(", ");
