import type { LogEntry, Notice, Outcome } from "../task.ts";
import type { AttemptRef } from "./executionStore.ts";
import type { TaskRef } from "./supervisors.ts";
import type { Guarded, NewTask } from "./taskStore.ts";

/** `open` = its task was escalated for it; `moot` = its task needed no message any more. */
export const deadLetterStatuses = ["open", "moot", "replayed"] as const;
export type DeadLetterStatus = (typeof deadLetterStatuses)[number];

/** A message that could not be processed in all its deliveries. */
export type DeadLetter = TaskRef & {
  id: string;
  /** The queue's own id of the message: the same one is recorded once. */
  messageId: string;
  status: DeadLetterStatus;
  because: string;
  replayedAs: string | null;
  replayedBy: string | null;
  createdAtMs: number;
};

export type DeadLetterStore = {
  /** With `end` the task is escalated in the same batch, and an attempt that nobody has begun is lost. */
  record(
    letter: DeadLetter,
    input: {
      end: { attempt: AttemptRef | null; outcome: Outcome; notices: Notice[] } | null;
      nowMs: number;
      log: LogEntry;
    },
  ): Promise<Guarded>;
  find(organizationId: string, id: string): Promise<DeadLetter | null>;
  findByMessage(organizationId: string, messageId: string): Promise<DeadLetter | null>;
  /** Newest first. */
  list(filter: {
    organizationId: string;
    status?: DeadLetterStatus | undefined;
    before?: string | undefined;
    limit: number;
  }): Promise<DeadLetter[]>;
  /** Writes the new task and that this letter is replayed by it. Lost = it is not open. */
  replay(
    organizationId: string,
    id: string,
    input: { task: NewTask; by: string; nowMs: number; log: LogEntry },
  ): Promise<Guarded>;
};
