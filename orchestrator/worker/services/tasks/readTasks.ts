import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { TaskDetail, TaskView } from "../../../../shared/contracts/task.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { readText } from "../../domain/keepText.ts";
import { taskNotFound } from "../../domain/notFound.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { TaskFilter, TaskStore, TaskStory } from "../../domain/ports/taskStore.ts";
import { addsSecret, type StoredText } from "../../domain/task.ts";
import { deliveredPatch } from "./deliveredPatch.ts";
import { taskDetail, taskView } from "./taskView.ts";

export type ReadDeps = { tasks: TaskStore; artifacts: Artifacts };

export async function getTask(
  deps: ReadDeps,
  principal: Principal,
  taskId: string,
): Promise<TaskDetail> {
  const story = await findStory(deps, principal, taskId);
  const prompt = await textOf(deps.artifacts, story.task.prompt);
  return taskDetail(story, prompt, await deliveredPatch(deps.tasks, story));
}

/** Newest first; `next` is the `before` of the following page, null on the last one. */
export async function listTasks(
  deps: ReadDeps,
  principal: Principal,
  filter: Omit<TaskFilter, "organizationId">,
): Promise<{ tasks: TaskView[]; next: string | null }> {
  const found = await deps.tasks.list({
    ...filter,
    organizationId: principal.organizationId,
    limit: filter.limit + 1,
  });
  const page = found.slice(0, filter.limit);
  const next = found.length > filter.limit ? (page.at(-1)?.id ?? null) : null;
  return { tasks: page.map(taskView), next };
}

/** The patch set of a task as the agent's run left it (JSON text of `aipatch/1`). */
export async function getPatch(
  deps: ReadDeps,
  principal: Principal,
  taskId: string,
): Promise<{ status: string; set: unknown }> {
  const { patch } = await findStory(deps, principal, taskId);
  if (patch === null)
    throw new SwitchyardError(
      "patch_not_found",
      `Task ${taskId} has no patch: its agent has not finished, or has changed nothing.`,
    );
  if (addsSecret(patch))
    throw new SwitchyardError(
      "forbidden",
      "The patch adds a secret and is shown to nobody. Its faults say where the secret stands.",
    );
  return { status: patch.status, set: JSON.parse(await textOf(deps.artifacts, patch.set)) };
}

async function findStory(deps: ReadDeps, principal: Principal, taskId: string): Promise<TaskStory> {
  const story = await deps.tasks.findStory({ organizationId: principal.organizationId, taskId });
  if (story === null) throw taskNotFound(taskId);
  return story;
}

async function textOf(artifacts: Artifacts, stored: StoredText): Promise<string> {
  const text = await readText(artifacts, stored);
  if (text === null)
    throw new SwitchyardError("internal", "A stored text of this task is missing.", {
      context: { stored },
    });
  return text;
}
