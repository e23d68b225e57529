import { isFinalTask } from "./states.ts";
import type { Execution, Task } from "./task.ts";

/** A task that waits with this reason is looked at as soon as a slot is free, whatever its time says. */
export const waitsForCapacity = "no_capacity";

export type DispatchPlan =
  | { kind: "route" }
  | { kind: "start_again"; fence: number; because: string }
  | { kind: "give_up"; because: string }
  | { kind: "leave"; because: string };

/** What to do with a task that a message points at. A message may be late, doubled or about nothing any more. */
export function planDispatch(task: Task, execution: Execution | null, nowMs: number): DispatchPlan {
  if (isFinalTask(task.status)) return { kind: "leave", because: `the task is ${task.status}` };
  if (task.status === "assigned" && execution?.status === "pending")
    return {
      kind: "start_again",
      fence: execution.fence,
      because: "it is claimed, but its supervisor has not begun",
    };
  if (task.status !== "queued") return { kind: "leave", because: `the task is ${task.status}` };
  if (nowMs >= task.deadlineAtMs)
    return { kind: "give_up", because: "no provider took the task before its deadline" };
  const waits = task.notBeforeMs !== null && task.notBeforeMs > nowMs;
  if (waits && task.notBeforeReason !== waitsForCapacity)
    return { kind: "leave", because: `it waits (${task.notBeforeReason})` };
  return { kind: "route" };
}
