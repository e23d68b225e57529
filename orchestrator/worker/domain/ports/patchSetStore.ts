import type { PatchFault } from "../../../../shared/contracts/aiPatch.ts";
import type { ApprovalReason } from "../../../../shared/contracts/patch.ts";
import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import type { Approved, Committed } from "../approval.ts";
import type { PatchSetEvent, PatchSetStatus, TaskEvent } from "../states.ts";
import type { LogEntry, Notice, Outcome, PatchSetRecord, Waiting } from "../task.ts";
import type { AttemptRef } from "./executionStore.ts";
import type { Guarded, NewTask } from "./taskStore.ts";

export type PatchRef = AttemptRef & { patchSetId: string };

export type PatchSetFilter = {
  organizationId: string;
  status?: PatchSetStatus;
  /** Only those older than the one with this id. */
  before?: string;
  limit: number;
};

/** Patch sets on their way into the code. Every write moves the task and its patch set together, or neither. */
export type PatchSetStore = {
  find(organizationId: string, patchSetId: string): Promise<PatchSetRecord | null>;
  /** Newest first. */
  list(filter: PatchSetFilter): Promise<PatchSetRecord[]>;
  /** The tree exists and its id is stored, with the head of the audit chain as it is now; no ref has moved. */
  beginValidation(
    ref: PatchRef,
    input: { treeId: string; nowMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /**
   * The gate before the one move of the ref. Lost too when the row is not that of the committed tree and parent any
   * more, or when a person is needed or was asked, and has not approved exactly what the row holds.
   */
  beginDelivery(
    ref: PatchRef,
    input: {
      commitSha: string;
      committed: Committed;
      needsApproval: boolean;
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
  /**
   * The order's branch has moved on to `to`: the patch goes back to be applied onto it, and what was made, validated
   * and approved before is void. The order's head moves with it; lost too when that is not `from` any more.
   */
  bringOnto(
    ref: PatchRef,
    input: {
      projectId: string;
      orderId: string;
      from: string | null;
      to: string;
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  /** The tree of its parent holds all that it changes: the task is completed without a commit of its own. */
  findApplied(
    ref: PatchRef,
    input: {
      validation: ValidationReport;
      outcome: Outcome;
      notices: Notice[];
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  /** The verified patch waits for a person; an earlier approval of it is void. */
  awaitApproval(
    ref: PatchRef,
    input: {
      reasons: ApprovalReason[];
      validation: ValidationReport;
      waiting: Waiting;
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  /** A person has approved what is named: its supervisor goes on to the delivery. Lost when the row is another. */
  approve(
    ref: PatchRef,
    input: { by: string; approved: Approved; nowMs: number; sweepAtMs: number; log: LogEntry },
  ): Promise<Guarded>;
  /** With `remediate` the child is written in the same batch. */
  end(
    ref: PatchRef,
    input: {
      patchEvent: Extract<PatchSetEvent, "reject" | "find_conflict" | "fail">;
      taskEvent: Extract<
        TaskEvent,
        "fail" | "escalate" | "cancel_confirmed" | "refuse" | "remediate"
      >;
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
