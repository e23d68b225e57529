import type { TaskStore, TaskStory } from "../../domain/ports/taskStore.ts";
import type { PatchSetRecord } from "../../domain/task.ts";

type Reads = Pick<TaskStore, "findChild" | "findStory">;

/** The patch set that a completed task came to: its own, or that of the remediation which put it right. */
export async function deliveredPatch(
  tasks: Reads,
  story: TaskStory,
): Promise<PatchSetRecord | null> {
  let at: TaskStory | null = story;
  while (at !== null && at.task.status === "completed") {
    if (at.patch?.status === "delivered") return at.patch;
    at = await storyOfChild(tasks, at);
  }
  return null;
}

async function storyOfChild(
  tasks: Reads,
  { task: { organizationId, id } }: TaskStory,
): Promise<TaskStory | null> {
  const child = await tasks.findChild({ organizationId, taskId: id });
  return child && tasks.findStory({ organizationId, taskId: child.id });
}
