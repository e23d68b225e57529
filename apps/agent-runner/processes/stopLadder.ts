import { type GuardedProcess, within } from "./guardedProcess.ts";

export type LadderStep = { act: NodeJS.Signals | "end_of_input"; graceMs: number };

/** From the signal that a program answers to best, to the one that nothing survives. */
export const ladderFrom = (first: NodeJS.Signals): LadderStep[] => [
  { act: first, graceMs: 5000 },
  { act: "SIGTERM", graceMs: 2000 },
  { act: "SIGKILL", graceMs: 2000 },
];

/** For a program that was talked with and has nothing more to do; one that reads its input goes at its end. */
export const partingLadder = (readsInput: boolean, first: NodeJS.Signals): LadderStep[] => [
  ...(readsInput ? [{ act: "end_of_input" as const, graceMs: 3000 }] : []),
  { act: first, graceMs: 3000 },
  { act: "SIGKILL", graceMs: 2000 },
];

/** Ends a command step by step; returns as soon as it has ended. What it left behind is the guard's to end. */
export async function endByLadder(
  process: GuardedProcess,
  steps: readonly LadderStep[],
): Promise<void> {
  for (const { act, graceMs } of steps) {
    if (act === "end_of_input") process.endInput();
    else process.signal(act);
    if ((await within(process.exit, graceMs)) === "settled") return;
  }
}
