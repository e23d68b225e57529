import { type GuardedProcess, within } from "./guardedProcess.ts";

export type LadderStep = { signal: NodeJS.Signals; graceMs: number };

/** From the signal that a program answers to best, to the one that nothing survives. */
export const ladderFrom = (first: NodeJS.Signals): LadderStep[] => [
  { signal: first, graceMs: 5000 },
  { signal: "SIGTERM", graceMs: 2000 },
  { signal: "SIGKILL", graceMs: 2000 },
];

/** Ends a command step by step; returns as soon as it has ended. What it left behind is the guard's to end. */
export async function endByLadder(
  process: GuardedProcess,
  steps: readonly LadderStep[],
): Promise<void> {
  for (const { signal, graceMs } of steps) {
    process.signal(signal);
    if ((await within(process.exit, graceMs)) === "settled") return;
  }
}
