/**
 * The states of every noun and the only ways between them. The SQL guard of a transition is taken from its
 * `from`, so a row can never move in a way that this file does not name.
 */
export const taskStatuses = [
  "queued",
  "assigned",
  "running",
  "waiting_input",
  "parked",
  "remediating",
  "patching",
  "validating",
  "delivering",
  "completed",
  "failed",
  "cancelled",
  "escalated",
] as const;
export type TaskStatus = (typeof taskStatuses)[number];

export const executionStatuses = [
  "pending",
  "starting",
  "running",
  "suspended",
  "succeeded",
  "failed",
  "timed_out",
  "lost",
  "cancelled",
] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

export const patchSetStatuses = [
  "received",
  "validating",
  "awaiting_approval",
  "delivering",
  "delivered",
  "already_applied",
  "rejected",
  "conflict",
  "failed",
] as const;
export type PatchSetStatus = (typeof patchSetStatuses)[number];

export const noticeStatuses = ["pending", "sent", "dead"] as const;
export type NoticeStatus = (typeof noticeStatuses)[number];

export const assignmentStatuses = ["active", "superseded"] as const;
export type AssignmentStatus = (typeof assignmentStatuses)[number];

type Transition<S extends string> = { readonly from: readonly S[]; readonly to: S };
type Table<S extends string> = Record<string, Transition<S>>;

export const taskTransitions = {
  claim: { from: ["queued"], to: "assigned" },
  start: { from: ["assigned"], to: "running" },
  receive_patch: { from: ["running"], to: "patching" },
  finish_without_patch: { from: ["running"], to: "completed" },
  begin_validation: { from: ["patching"], to: "validating" },
  begin_delivery: { from: ["validating"], to: "delivering" },
  deliver: { from: ["delivering"], to: "completed" },
  /** The order's branch has moved: the patch is applied again, onto what is there now. */
  bring_onto: { from: ["delivering"], to: "patching" },
  /** What it was to change is on the branch already. */
  find_applied: { from: ["validating"], to: "completed" },
  retry: { from: ["assigned", "running"], to: "queued" },
  fail: { from: ["assigned", "running", "patching", "validating", "remediating"], to: "failed" },
  escalate: {
    from: [
      "queued",
      "parked",
      "assigned",
      "running",
      "waiting_input",
      "patching",
      "validating",
      "delivering",
      "remediating",
    ],
    to: "escalated",
  },
  cancel_waiting: { from: ["queued", "parked", "waiting_input"], to: "cancelled" },
  cancel_confirmed: {
    from: ["assigned", "running", "patching", "validating", "remediating"],
    to: "cancelled",
  },
  park: { from: ["queued", "assigned", "running"], to: "parked" },
  unpark: { from: ["parked"], to: "queued" },
  ask: { from: ["running", "validating"], to: "waiting_input" },
  answer: { from: ["waiting_input"], to: "queued" },
  approve: { from: ["waiting_input"], to: "validating" },
  refuse: { from: ["waiting_input"], to: "failed" },
  remediate: { from: ["running", "patching", "validating"], to: "remediating" },
  adopt_child: { from: ["remediating"], to: "completed" },
} as const satisfies Table<TaskStatus>;

export const executionTransitions = {
  enter_starting: { from: ["pending"], to: "starting" },
  run: { from: ["starting"], to: "running" },
  suspend: { from: ["starting", "running"], to: "suspended" },
  /** A person has answered: the next attempt goes on with its session. */
  hand_over: { from: ["suspended"], to: "succeeded" },
  expire: { from: ["suspended"], to: "failed" },
  succeed: { from: ["starting", "running"], to: "succeeded" },
  fail: { from: ["pending", "starting", "running"], to: "failed" },
  time_out: { from: ["starting", "running"], to: "timed_out" },
  lose: { from: ["pending", "starting", "running"], to: "lost" },
  cancel: { from: ["pending", "starting", "running", "suspended"], to: "cancelled" },
} as const satisfies Table<ExecutionStatus>;

export const patchSetTransitions = {
  begin_validation: { from: ["received"], to: "validating" },
  begin_delivery: { from: ["validating"], to: "delivering" },
  deliver: { from: ["delivering"], to: "delivered" },
  bring_onto: { from: ["delivering"], to: "received" },
  find_applied: { from: ["validating"], to: "already_applied" },
  await_approval: { from: ["validating"], to: "awaiting_approval" },
  approve: { from: ["awaiting_approval"], to: "validating" },
  reject: { from: ["received", "validating", "awaiting_approval"], to: "rejected" },
  find_conflict: { from: ["received", "validating", "delivering"], to: "conflict" },
  fail: { from: ["received", "validating", "awaiting_approval"], to: "failed" },
} as const satisfies Table<PatchSetStatus>;

export const noticeTransitions = {
  send: { from: ["pending"], to: "sent" },
  give_up: { from: ["pending"], to: "dead" },
} as const satisfies Table<NoticeStatus>;

export type TaskEvent = keyof typeof taskTransitions;
export type ExecutionEvent = keyof typeof executionTransitions;
export type PatchSetEvent = keyof typeof patchSetTransitions;

export const finalTaskStatuses = ["completed", "failed", "cancelled", "escalated"] as const;
export type FinalTaskStatus = (typeof finalTaskStatuses)[number];

export const isFinalTask = (status: TaskStatus): status is FinalTaskStatus =>
  (finalTaskStatuses as readonly TaskStatus[]).includes(status);

/** An execution in one of these may hold a process, and counts against the caps. */
export const liveExecutionStatuses = ["pending", "starting", "running"] as const;

/** Its supervisor has nothing more to do for it. A suspended one has no process: it waits for a person. */
export const isSettledExecution = (status: ExecutionStatus): boolean =>
  !(liveExecutionStatuses as readonly ExecutionStatus[]).includes(status);

/** A task in one of these has no supervisor at work: a message or the sweep moves it on. */
export const waitingTaskStatuses = ["queued", "parked", "waiting_input", "remediating"] as const;

export const isWaitingTask = (status: TaskStatus): boolean =>
  (waitingTaskStatuses as readonly TaskStatus[]).includes(status);

export type Move<S extends string> =
  | { kind: "moved"; to: S }
  | { kind: "refused"; because: string };

/** A task in one of these holds its order: another one of it would start from a commit that is about to be old. */
export const orderHoldingStatuses = [
  "assigned",
  "running",
  "waiting_input",
  "patching",
  "validating",
  "delivering",
  "remediating",
] as const;

/** Where an event leads from a state, or why it leads nowhere. */
export function move<S extends string, E extends string>(
  table: Record<E, Transition<S>>,
  event: E,
  from: S,
): Move<S> {
  const transition = table[event];
  if (transition.from.includes(from)) return { kind: "moved", to: transition.to };
  return { kind: "refused", because: `${event} is not possible from ${from}` };
}
