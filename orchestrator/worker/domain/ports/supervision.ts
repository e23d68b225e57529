import type { Attempt } from "./supervisorMemory.ts";

/** What is given to every step: how it is told to stop waiting, and whether somebody watches just now. */
export type StepContext = { signal: AbortSignal; watched(): boolean };

/** What a step did: `go` = the next step is due now, `wait` = look again after so long. */
export type StepResult = {
  attempt: Attempt;
  next: { kind: "go" } | { kind: "wait"; ms: number };
};

/** One phase of an attempt. A step may be repeated after a crash at any point, and does then no more than once. */
export type Step = (attempt: Attempt, context: StepContext) => Promise<StepResult>;

export const go = (attempt: Attempt): StepResult => ({ attempt, next: { kind: "go" } });
export const wait = (attempt: Attempt, ms: number): StepResult => ({
  attempt,
  next: { kind: "wait", ms },
});
