import type { Principal } from "../../../../shared/contracts/identity.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { Task } from "../../domain/task.ts";
import { type AssignDeps, assignProvider, findTask } from "./assignProvider.ts";

/**
 * Has a queued task dispatched now, by the named provider if there is one. A task that is already dispatched
 * answers with its present state, whatever provider is named.
 */
export async function executeTask(
  deps: AssignDeps & { queue: TaskQueue },
  principal: Principal,
  taskId: string,
  provider: string | undefined,
): Promise<Task> {
  const answer = await assignProvider(deps, principal, taskId, provider);
  if (answer.kind === "decided") {
    if (provider !== undefined && answer.decision.kind === "none")
      throw new SwitchyardError("provider_unavailable", `${answer.decision.because}.`);
    await deps.queue.send({ organizationId: principal.organizationId, taskId });
  }
  return (await findTask(deps.tasks, principal, taskId)).task;
}
