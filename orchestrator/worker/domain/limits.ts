/** Bounds and defaults of a task. Times are in ms unless a name says otherwise. */
export const limitBounds = {
  wallClockSeconds: { min: 1, max: 86_400, default: 3_600 },
  silenceSeconds: { min: 1, max: 86_400, default: 600 },
  maxAttempts: { min: 1, max: 10, default: 2 },
  /** How long a task may wait for a provider before it is handed to a person. */
  deadlineSeconds: { min: 60, max: 7 * 86_400, default: 86_400 },
} as const;

/** A person has this long to answer or approve; then the task is escalated. */
export const inputWaitMs = 24 * 3_600_000;

/** A remediation may have a remediation of its own, this many deep: where a project says nothing, and at most. */
export const defaultRemediationDepth = 2;
export const maxRemediationDepth = 3;

/** A patch is brought onto a branch that has moved this often in one attempt; then a person looks at who moves it. */
export const maxBranchMoves = 5;

export type TaskLimits = {
  wallClockMs: number;
  silenceMs: number;
  maxAttempts: number;
};

/** Above the limits of what runs in a container: for its source, what it leaves, and for whoever comes to fetch it. */
const containerMarginMs = 15 * 60_000;

/** However its run goes, a container is gone after this time. */
export const containerLifetimeMs = (runMs: number): number => runMs + containerMarginMs;

/** A prompt may be this long, in UTF-8 bytes; anything longer belongs into a file of the repository. */
export const maxPromptBytes = 512 * 1024;

/** Bodies up to this size stay in D1, larger ones go to R2 and the row keeps their key. */
export const maxInlineBytes = 32 * 1024;

/** A patch set larger than this is not taken from a runner. */
export const maxPatchBytes = 8 * 1024 * 1024;

export const maxRequestBytes = 1024 * 1024;
