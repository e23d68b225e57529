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
  Task,
} from "../task.ts";
import type { TaskRef } from "./supervisors.ts";

/** The answer of every guarded write: lost = the guard did not hold and no row has changed. */
export type Guarded = { kind: "done" } | { kind: "lost" };

export type IdempotencyRecord = { key: string; requestSha256: string; answer: string };

export type NewTask = {
  task: Task;
  idempotency: (IdempotencyRecord & { expiresAtMs: number }) | null;
  sweepAtMs: number;
  log: LogEntry;
};

export type Claim = {
  ref: TaskRef;
  /** The fence before the claim; the claimed attempt has fence + 1. */
  fence: number;
  assignment: Assignment;
  executionId: string;
  config: ConfigSnapshot;
  /** How many executions may be live at once; with this one counted. */
  caps: { all: number; provider: number };
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
    projectId: string,
    key: string | null,
  ): Promise<{ project: Project | null; replay: IdempotencyRecord | null }>;
  /** Lost = the idempotency key was taken in between. */
  accept(input: NewTask): Promise<Guarded>;
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
  /** A queued task wants this provider and no other. */
  prefer(ref: TaskRef, provider: string, nowMs: number, log: LogEntry): Promise<Guarded>;
  /** A task that has no execution ends: escalated from queued, or cancelled while it waits. */
  endWaiting(
    ref: TaskRef,
    input: {
      event: "escalate" | "cancel_waiting";
      outcome: Outcome;
      notices: Notice[];
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  requestCancel(ref: TaskRef, nowMs: number, log: LogEntry): Promise<Guarded>;

  dueForSweep(nowMs: number, limit: number): Promise<SweepItem[]>;
  postponeSweep(ref: TaskRef, sweepAtMs: number, sends: number): Promise<void>;
  /** The queued tasks that go next, at most one an organization, the longest unserved organization first. */
  nextWaiting(nowMs: number, limit: number): Promise<TaskRef[]>;
};
