import type { TokenUsage } from "../../../../shared/contracts/agentEvent.ts";
import type { ExecutionEvent, TaskEvent } from "../states.ts";
import type {
  Execution,
  LogEntry,
  Notice,
  Order,
  Outcome,
  PatchSetRecord,
  StoredText,
  Waiting,
} from "../task.ts";
import type { TaskRef } from "./supervisors.ts";
import type { Guarded, NewTask, TaskContext } from "./taskStore.ts";

export type AttemptRef = TaskRef & { fence: number };

/** All that a supervisor needs to drive one attempt. */
export type Brief = TaskContext & {
  execution: Execution;
  order: Order;
  patch: PatchSetRecord | null;
};

export type Settlement = {
  ref: AttemptRef;
  executionEvent: Extract<
    ExecutionEvent,
    "succeed" | "fail" | "time_out" | "lose" | "cancel" | "suspend"
  >;
  taskEvent: Extract<
    TaskEvent,
    | "receive_patch"
    | "finish_without_patch"
    | "retry"
    | "park"
    | "ask"
    | "fail"
    | "remediate"
    | "escalate"
    | "cancel_confirmed"
  >;
  outcome: Outcome | null;
  result: {
    usage: TokenUsage | null;
    sessionId: string | null;
    events: number;
    durationMs: number;
    baseCommit: string | null;
    output: StoredText | null;
  };
  patch: Omit<
    PatchSetRecord,
    | "status"
    | "commitSha"
    | "validation"
    | "approvalReasons"
    | "approvedBy"
    | "approvedBinding"
    | "auditHead"
    | "ontoCommit"
    | "faults"
  > | null;
  /** With `remediate`. */
  child: NewTask | null;
  notices: Notice[];
  /** With `retry` and `park`: when the task may be looked at again, and why not before. */
  notBeforeMs: number | null;
  notBeforeReason: string | null;
  /** With `ask`. */
  waiting: Waiting | null;
  sweepAtMs: number | null;
  nowMs: number;
  log: LogEntry[];
};

/** Attempts. A write with a fence lower than the task's is lost; so is progress after a cancel was asked for. */
export type ExecutionStore = {
  findBrief(ref: AttemptRef): Promise<Brief | null>;
  /** Whether the task still wants this attempt: one cheap read, made at every heartbeat. */
  findWish(ref: AttemptRef): Promise<{ fence: number; cancelRequested: boolean } | null>;
  /** The gate: pending → starting, before any effect outside. Answers what to start. */
  enterStarting(
    ref: AttemptRef,
    nowMs: number,
  ): Promise<{ kind: "done"; brief: Brief } | { kind: "lost" }>;
  markRunning(ref: AttemptRef, nowMs: number, log: LogEntry): Promise<Guarded>;
  settle(settlement: Settlement): Promise<Guarded>;
  countLive(organizationId: string, provider: string): Promise<number>;
};
