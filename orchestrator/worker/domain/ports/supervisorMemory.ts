import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { StopReason } from "../../../../shared/contracts/runner.ts";
import type { RunFacts } from "../outcome.ts";
import type { StoredText } from "../task.ts";
import type { TaskRef } from "./supervisors.ts";

/** The patch of a run, stored before anything is said of it. */
export type PatchNote = {
  set: StoredText;
  contentKey: string;
  baseCommit: string;
  files: number;
  operations: number;
};

/** Where an attempt stands for its supervisor. D1 has the status; this says what to do next. */
export const attemptPhases = [
  "gate",
  "reverting",
  "starting",
  "following",
  "settling",
  "patching",
  "delivering",
  "archiving",
  "confirming",
  "done",
] as const;
export type AttemptPhase = (typeof attemptPhases)[number];

/** The project's commands in a clean container. */
export type ValidationRun = {
  /** Counts its containers. */
  try: number;
  /** How many of them were lost without a word. */
  containersLost: number;
  /** The tree that it is about. */
  treeId: string;
  /** The names of the commands that were asked for. */
  commands: string[];
  /** However it goes, its container is gone after this time. */
  lifetimeMs: number;
  /** When its start was first asked for. */
  sinceMs: number | null;
  isStarted: boolean;
  /** The verdict as JSON, held before its container is given back. */
  report: StoredText | null;
};

export type Attempt = TaskRef & {
  fence: number;
  phase: AttemptPhase;
  executionId: string | null;
  /** The provider of this attempt, and with it the agent to ask. */
  provider: string | null;
  /** The factory in whose containers it works; absent and null = the deployment's own runner. */
  factory?: string | null;
  doorbellToken: string;
  startedAtMs: number | null;
  wallClockMs: number | null;
  silenceMs: number | null;
  /** Set when the supervisor has asked for the end of the run. */
  stopAsked: Exclude<StopReason, "shutdown"> | null;
  stopAskedAtMs: number | null;
  /** Its start, or that of its patch, was asked for: whether it worked may be unknown. */
  startAsked: boolean;
  patchAsked: boolean;
  /** Since when the runner cannot be reached; an error of another kind does not count against it. */
  unreachableSinceMs: number | null;
  /** It was settled without the runner's word that its processes are gone. */
  unconfirmed: boolean;
  /** The last word of the run, kept here before D1 hears of it; its patch lies in `patch`. */
  report: RunFacts | null;
  patch: PatchNote | null;
  /** How often the run's session is still asked for; 0 = it is kept, or its run goes without it. */
  sessionTriesLeft: number;
  /** The run of the patch set: every try has an id of its own. */
  patchTry: number;
  patchStarted: boolean;
  /** The commit that its run brings the set onto; absent and null = it is applied to its base. */
  patchOnto?: string | null;
  /** How often the order's branch had moved when the patch was to be delivered; absent = never. */
  branchMoves?: number;
  /** The tree that the Patch Manager made, as soon as it is known. */
  appliedTreeId: string | null;
  /** How often the outputs of its validation were asked for, and of which commands they are in R2; absent = not yet. */
  outputTries?: number;
  outputsHeld?: number[];
  /** Where its commands run in a clean container: how far that is; absent and null = not begun, or not there. */
  validation?: ValidationRun | null;
  /** The runs of validations whose containers are not known to be gone. */
  openValidations?: string[];
  /** Errors in a row of the present phase, and since when. */
  failures: number;
  failingSinceMs: number | null;
  endedAtMs: number | null;
};

export type EventSource =
  | "agent"
  | "supervisor"
  | `patch-${number}`
  | `validation-${number}-${number}`;

/** Events as they stand in the stream of an attempt, numbered from 1 without a gap. */
export type StreamEvent = { fence: number; number: number; atMs: number; event: AgentEvent };

/**
 * What a supervisor must not forget: its attempts and their events. Synchronous, on one SQLite.
 * The events of one append and the cursor of their source become durable together.
 */
export type SupervisorMemory = {
  /** By fence, lowest first. */
  attempts(): Attempt[];
  /** Writes nothing when nothing has changed. */
  save(attempt: Attempt): void;
  append(
    fence: number,
    source: EventSource,
    sourceCursor: number,
    events: readonly { atMs: number; event: AgentEvent }[],
  ): void;
  /** The number of the last event already held of a source, 0 = none. */
  cursor(fence: number, source: EventSource): number;
  lastNumber(fence: number): number;
  /** When the last event of a source happened. */
  lastEventAtMs(fence: number, source: EventSource): number | null;
  /** Events after a position, oldest first, about `limit` of them; empty at the end. */
  read(after: { fence: number; number: number }, limit: number): StreamEvent[];
  setWakeAt(atMs: number): Promise<void>;
  forgetAll(): Promise<void>;
};
