import type { Clock } from "./ports/clock.ts";
import type { Attempt, SupervisorMemory } from "./ports/supervisorMemory.ts";
import type { ExecutionStatus, TaskStatus } from "./states.ts";

/** Who acts where no person did. */
export const systemActor = "system:switchyard";

/** Says in the stream of events what has been decided. */
export function tellState(
  { memory, clock }: { memory: SupervisorMemory; clock: Clock },
  attempt: Attempt,
  state: { task: TaskStatus; execution?: ExecutionStatus; because?: string | null },
): void {
  const { task, execution = null, because = null } = state;
  memory.append(attempt.fence, "supervisor", 0, [
    { atMs: clock.nowMs(), event: { type: "state", task, execution, because } },
  ]);
}
