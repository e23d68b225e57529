import type { Caps, LiveCounts } from "../dispatch.ts";
import type {
  Assignment,
  ConfigSnapshot,
  Execution,
  LogEntry,
  Notice,
  Order,
  Outcome,
  PatchSetRecord,
  Project,
  Resume,
  Task,
} from "../task.ts";
import type { TaskRef } from "./supervisors.ts";

/** The answer of every guarded write: lost = the guard did not hold and no row has changed. */
export type Guarded = { kind: "done" } | { kind: "lost" };

export type IdempotencyRecord = {
  key: string;
  requestSha256: string;
  answer: string;
  expiresAtMs: number;
};

export type NewTask = { task: Task; sweepAtMs: number; log: LogEntry };

export type AcceptedTask = NewTask & {
  /** Takes the place of an expired record of the same key. */
  idempotency: IdempotencyRecord | null;
};

export type Claim = {
  ref: TaskRef;
  /** The fence before the claim; the claimed attempt has fence + 1. */
  fence: number;
  assignment: Assignment;
  executionId: string;
  config: ConfigSnapshot;
  projectId: string;
  orderId: string;
  /** A child may start while its parents wait for it. */
  isChild: boolean;
  caps: Caps;
  nowMs: number;
  sweepAtMs: number;
  log: LogEntry;
};

export type TaskFilter = {
  organizationId: string;
  status?: Task["status"];
  projectId?: string;
  /** Only tasks older than the one with this id. */
  before?: string;
  limit: number;
};

export type TaskContext = { task: Task; project: Project; execution: Execution | null };

/** What a page about one task shows. */
export type TaskStory = TaskContext & {
  order: Order | null;
  patch: PatchSetRecord | null;
  log: (LogEntry & { atMs: number })[];
};

export type SweepItem = {
  ref: TaskRef;
  status: Task["status"];
  fence: number;
  executionStatus: Execution["status"] | null;
  sends: number;
  notBeforeMs: number | null;
};

/** Tasks and all that is written with them. Every method asks for the organization. */
export type TaskStore = {
  findForAccept(
    organizationId: string,
    projectId: string | null,
    key: string | null,
  ): Promise<{ project: Project | null; replay: IdempotencyRecord | null }>;
  /** Lost = the idempotency key was taken in between. */
  accept(input: AcceptedTask): Promise<Guarded>;
  /** Forgets idempotency records that have expired; answers how many. */
  forgetExpiredKeys(nowMs: number, limit: number): Promise<number>;
  find(ref: TaskRef): Promise<Task | null>;
  findContext(ref: TaskRef): Promise<TaskContext | null>;
  findStory(ref: TaskRef): Promise<TaskStory | null>;
  list(filter: TaskFilter): Promise<Task[]>;

  claim(input: Claim): Promise<Guarded>;
  /** A queued task waits: until when, and why. */
  delay(
    ref: TaskRef,
    input: { fence: number; untilMs: number; reason: string; nowMs: number },
  ): Promise<Guarded>;
  /** How many executions are live beside which a task would run. */
  liveCounts(at: {
    organizationId: string;
    projectId: string;
    provider: string;
  }): Promise<LiveCounts>;
  /** Whether another task of its order is at work. */
  orderIsBusy(task: Task): Promise<boolean>;
  /** The oldest task that waits for this order. */
  nextOfOrder(order: {
    organizationId: string;
    projectId: string;
    orderId: string;
  }): Promise<TaskRef | null>;
  /** A queued task is put aside until a time. */
  park(
    ref: TaskRef,
    input: { fence: number; untilMs: number; reason: string; nowMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /** A parked task whose time has come is queued again. */
  unpark(
    ref: TaskRef,
    input: { fence: number; nowMs: number; sweepAtMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /** A person has answered a question, or agreed to a plan: the task is queued again, to go on with its session. */
  answer(
    ref: TaskRef,
    input: {
      fence: number;
      resume: Resume;
      /** Later by as long as the task has waited for the person. */
      deadlineAtMs: number;
      nowMs: number;
      sweepAtMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  /** The newest task that remediates this one. */
  findChild(ref: TaskRef): Promise<Task | null>;
  /** A task whose child has ended takes its outcome. */
  endParent(
    ref: TaskRef,
    input: {
      event: "adopt_child" | "fail" | "escalate" | "cancel_confirmed";
      outcome: Outcome;
      notices: Notice[];
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  /** A queued task wants this provider and no other. */
  prefer(ref: TaskRef, provider: string, nowMs: number, log: LogEntry): Promise<Guarded>;
  /**
   * A task that nobody works on ends, and with it what waits for the same person: escalated while it is queued,
   * parked or waiting for input, or cancelled.
   */
  endWaiting(
    ref: TaskRef,
    input: {
      event: "escalate" | "cancel_waiting";
      /** Ends it only at this attempt. */
      fence?: number;
      outcome: Outcome;
      notices: Notice[];
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  requestCancel(ref: TaskRef, nowMs: number, log: LogEntry): Promise<Guarded>;

  dueForSweep(nowMs: number, limit: number): Promise<SweepItem[]>;
  postponeSweep(ref: TaskRef, sweepAtMs: number, sends: number): Promise<void>;
  /**
   * The queued tasks that go next, at most one an organization, the longest unserved organization first. Tasks
   * that wait for a slot of their own organization or project count only when such a slot was freed.
   */
  nextWaiting(
    nowMs: number,
    limit: number,
    freed?: { organizationId: string; projectId: string },
  ): Promise<TaskRef[]>;
};
