import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { RouteDecision } from "../../../../shared/contracts/provider.ts";
import type { AssignAnswer } from "../../../../shared/contracts/providerOps.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { taskNotFound } from "../../domain/notFound.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { TaskContext, TaskStore } from "../../domain/ports/taskStore.ts";
import type { CandidateDeps } from "./candidates.ts";
import { routeTask } from "./routeTask.ts";

export type AssignDeps = CandidateDeps & { tasks: TaskStore; clock: Clock };

/**
 * Decides, without starting anything, which provider gets a task. With a preference the task is bound to that
 * provider, if it can take the task; else the answer says why not and the task stays as it was.
 */
export async function assignProvider(
  deps: AssignDeps,
  principal: Principal,
  taskId: string,
  preferredProvider: string | undefined,
): Promise<AssignAnswer> {
  const context = await findTask(deps.tasks, principal, taskId);
  if (preferredProvider !== undefined) requireProviderName(deps, preferredProvider);
  if (context.task.status !== "queued") return alreadyAssigned(context);

  const { decision } = await routeTask(deps, context, preferredProvider ?? null);
  if (preferredProvider === undefined || decision.kind === "none")
    return { kind: "decided", decision };
  const bound = await deps.tasks.prefer(
    { organizationId: principal.organizationId, taskId },
    preferredProvider,
    deps.clock.nowMs(),
    {
      actor: principal.id,
      action: "task.provider_chosen",
      message: `${principal.id} chose ${preferredProvider}.`,
    },
  );
  if (bound.kind === "lost") return alreadyAssigned(await findTask(deps.tasks, principal, taskId));
  return { kind: "decided", decision };
}

/** Which providers could take a task now, each with its reason. */
export async function listAvailableProviders(
  deps: AssignDeps,
  principal: Principal,
  taskId: string,
): Promise<RouteDecision> {
  return (await routeTask(deps, await findTask(deps.tasks, principal, taskId))).decision;
}

export async function findTask(
  tasks: TaskStore,
  principal: Principal,
  taskId: string,
): Promise<TaskContext> {
  const context = await tasks.findContext({ organizationId: principal.organizationId, taskId });
  if (context === null) throw taskNotFound(taskId);
  return context;
}

export function requireProviderName(
  { providers }: Pick<AssignDeps, "providers">,
  name: string,
): void {
  if (providers.has(name)) return;
  throw new SwitchyardError(
    "unknown_provider",
    `There is no provider "${name}". Use one of: ${[...providers.keys()].join(", ")}.`,
  );
}

const alreadyAssigned = ({ task }: TaskContext): AssignAnswer => ({
  kind: "already_assigned",
  provider: task.provider ?? "",
  status: task.status,
  fence: task.fence,
});
