import type { TaskRef } from "./ports/supervisors.ts";
import type { Task } from "./task.ts";

/** The tasks that a task remediates, the nearest first: as many as stand between it and its root, and the root. */
export async function ancestorsOf<T extends { task: Task }>(
  find: (ref: TaskRef) => Promise<T | null>,
  { organizationId, parentId, depth }: Task,
): Promise<T[]> {
  const ancestors: T[] = [];
  for (let taskId = parentId; taskId !== null && ancestors.length < depth; ) {
    const ancestor = await find({ organizationId, taskId });
    if (ancestor === null) break;
    ancestors.push(ancestor);
    taskId = ancestor.task.parentId;
  }
  return ancestors;
}

/** The task that a person handed over: what it asks for is what its remediations work on. */
export async function rootOf<T extends { task: Task }>(
  find: (ref: TaskRef) => Promise<T | null>,
  task: Task,
): Promise<Task> {
  return (await ancestorsOf(find, task)).at(-1)?.task ?? task;
}
