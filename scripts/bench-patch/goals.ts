import { names, type Timing } from "./speed.ts";

/** What issue 5 asks of the engine. `text` says by how much it is met or not; no goal is a fault. */
export type Goal = { text: string; isHeld: boolean };

/** Goals of one size of files: each of ours against one of theirs, and how many times as fast it has to be. */
const races = [
  [names.oursSet, names.npmParsed, 1.5],
  [names.oursSets, names.npmParsed, 1.5],
  [names.oursText, names.npmText, 1.5],
  [names.oursSet, names.git, 1],
  [names.oursSets, names.git, 1],
  [names.oursText, names.git, 1],
] as const;

/** The ratio is the median of those of the rounds, since both took their turn in each. */
export function raceGoals(timings: readonly Timing[]): Goal[] {
  return races.map(([ours, theirs, times]) => {
    const [own, other] = [ours, theirs].map((name) => roundsOf(timings, name)) as [
      number[],
      number[],
    ];
    const ratio = medianOf(own.map((ms, round) => (other[round] ?? 0) / ms));
    const isHeld = ratio >= times;
    const text = `${ours} : ${theirs} = ${ratio.toFixed(2)} times as fast, goal ${times}`;
    return { text, isHeld };
  });
}

export function limitGoals(timings: readonly Timing[], most: number): Goal[] {
  return timings.map(({ name, milliseconds }) => ({
    text: `${name}: goal under ${most} ms`,
    isHeld: medianOf(milliseconds) < most,
  }));
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function roundsOf(timings: readonly Timing[], name: string): number[] {
  return timings.find((timing) => timing.name === name)?.milliseconds ?? [];
}
