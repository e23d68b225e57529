import type { SupervisorAccess, TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import { isFinalTask } from "../../domain/states.ts";

/** Passes a runner's ring on. A stranger must not be able to call objects into being. */
export async function ringSupervisor(
  { tasks, supervisors }: { tasks: TaskStore; supervisors: SupervisorAccess },
  ref: TaskRef,
  token: string,
): Promise<void> {
  const task = await tasks.find(ref);
  if (task !== null && !isFinalTask(task.status)) await supervisors.ring(ref, token);
}
