import type { PatchFault } from "../../../../shared/contracts/aiPatch.ts";
import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import type { PatchSetEvent, TaskEvent } from "../states.ts";
import type { LogEntry, Notice, Outcome, Waiting } from "../task.ts";
import type { AttemptRef } from "./executionStore.ts";
import type { Guarded, NewTask } from "./taskStore.ts";

export type PatchRef = AttemptRef & { patchSetId: string };

/** Patch sets on their way into the code. Every write moves the task and its patch set together, or neither. */
export type PatchSetStore = {
  /** The tree exists and its id is stored, with the head of the audit chain as it is now; no ref has moved. */
  beginValidation(
    ref: PatchRef,
    input: { treeId: string; nowMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /** The gate before the one move of the ref. */
  beginDelivery(
    ref: PatchRef,
    input: {
      commitSha: string;
      validation: ValidationReport;
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  deliver(
    ref: PatchRef,
    input: {
      projectId: string;
      orderId: string;
      commitSha: string;
      outcome: Outcome;
      notices: Notice[];
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  /** The verified patch waits for a person. */
  awaitApproval(
    ref: PatchRef,
    input: { waiting: Waiting; nowMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /** A person has approved: its supervisor goes on to the delivery. */
  approve(
    ref: PatchRef,
    input: { by: string; nowMs: number; sweepAtMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /** With `remediate` the child is written in the same batch. */
  end(
    ref: PatchRef,
    input: {
      patchEvent: Extract<PatchSetEvent, "reject" | "find_conflict" | "fail">;
      taskEvent: Extract<TaskEvent, "fail" | "escalate" | "cancel_confirmed" | "remediate">;
      child: NewTask | null;
      faults: PatchFault[];
      validation: ValidationReport | null;
      outcome: Outcome;
      notices: Notice[];
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
};
