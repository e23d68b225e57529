import { stands } from "./guards.ts";
import { isWaitingTask } from "./states.ts";
import type { Execution, Task } from "./task.ts";

/** Why a queued task found no room. A task that waits so is looked at as soon as a slot is free, whatever its time says. */
export const capacityReasons = [
  "no_capacity",
  "organization_capacity",
  "project_capacity",
] as const;

/** An earlier task of the same order is at work: its commit is what this one goes on from. */
export const waitsForOrder = "order_busy";
export type CapacityReason = (typeof capacityReasons)[number];

export const waitsForCapacity = (reason: string | null): boolean =>
  reason === waitsForOrder || (capacityReasons as readonly (string | null)[]).includes(reason);

export type LiveCounts = { all: number; provider: number; organization: number; project: number };

/** How many executions may be live at once: on the whole platform, of a provider, an organization, a project. */
export type Caps = LiveCounts;

/** Which cap is full: one's own first, since its slot is freed by oneself alone. */
export function fullCap(live: LiveCounts, caps: Caps): CapacityReason {
  if (live.project >= caps.project) return "project_capacity";
  if (live.organization >= caps.organization) return "organization_capacity";
  return "no_capacity";
}

export type DispatchPlan =
  | { kind: "route" }
  | { kind: "start_again"; fence: number; because: string }
  | { kind: "give_up"; because: string }
  /** It waits for a time, a person or a child: another use case sees whether the wait is over. */
  | { kind: "tend" }
  | { kind: "leave"; because: string };

/** What to do with a task that a message points at. A message may be late, doubled or about nothing any more. */
export function planDispatch(task: Task, execution: Execution | null, nowMs: number): DispatchPlan {
  if (task.status !== "queued") return planOfOthers(task, execution);
  if (task.cancelRequestedAtMs !== null) return { kind: "tend" };
  if (nowMs >= task.deadlineAtMs && stands("deadline_kept"))
    return { kind: "give_up", because: "no provider took the task before its deadline" };
  const waits = task.notBeforeMs !== null && task.notBeforeMs > nowMs;
  if (waits && !waitsForCapacity(task.notBeforeReason))
    return { kind: "leave", because: `it waits (${task.notBeforeReason})` };
  return { kind: "route" };
}

/** A task that is not queued: it is over, it waits for something else, or its supervisor works on it. */
function planOfOthers(task: Task, execution: Execution | null): DispatchPlan {
  if (isWaitingTask(task.status)) return { kind: "tend" };
  if (
    task.status === "assigned" &&
    execution?.status === "pending" &&
    stands("redelivery_starts_again")
  )
    return { kind: "start_again", fence: execution.fence, because: "its supervisor has not begun" };
  return { kind: "leave", because: `the task is ${task.status}` };
}
