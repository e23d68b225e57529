import type { RouteDecision } from "../../../../shared/contracts/provider.ts";
import { ancestorsOf } from "../../domain/ancestors.ts";
import { type Placement, placeTask } from "../../domain/placement.ts";
import type { TaskContext, TaskStore } from "../../domain/ports/taskStore.ts";
import { ownProvider, type Task } from "../../domain/task.ts";
import { type CandidateDeps, lookAtCandidates } from "./candidates.ts";
import { type Candidate, route } from "./router.ts";

export type RoutedTask = { placement: Placement; decision: RouteDecision; candidates: Candidate[] };

/** Where a task would be worked on, and by which provider, as things stand now; with `override` as if it asked for that one. */
export async function routeTask(
  deps: CandidateDeps & { tasks: Pick<TaskStore, "findContext"> },
  { task, project }: Pick<TaskContext, "task" | "project">,
  override: string | null = null,
): Promise<RoutedTask> {
  const placement = placeTask(deps.factories, task, project);
  if (placement.kind === "not_registered") {
    const { because } = placement;
    const decision = { kind: "none" as const, because, transient: false, considered: [] };
    return { placement, decision, candidates: [] };
  }
  if (task.reverts !== null) return { placement, decision: ownWork, candidates: [] };
  const factory = placement.kind === "factory" ? placement.factory : null;
  const candidates = await lookAtCandidates(deps, task.organizationId, factory);
  const decision = route(
    {
      sourceKind: task.source.kind,
      override: override ?? task.preferredProvider,
      allowFallback: override === null && task.allowFallback,
      preference: project.settings.preferredProvider ?? null,
      exhausted: await exhaustedBy(deps.tasks, task),
    },
    candidates,
  );
  return { placement, decision, candidates };
}

/** A provider may put its own change right once; then another one is asked, if there is one. */
async function exhaustedBy(
  tasks: Pick<TaskStore, "findContext">,
  task: Task,
): Promise<readonly string[]> {
  if (task.depth < 2) return [];
  const failed = (await ancestorsOf((ref) => tasks.findContext(ref), task)).map(
    ({ execution }) => execution?.provider ?? "",
  );
  return failed.filter((provider, index) => failed.indexOf(provider) !== index);
}

/** A revert is made by Switchyard itself; the project's commands run on it where its agents work. */
const ownWork: RouteDecision = {
  kind: "assign",
  provider: ownProvider,
  because: "a revert needs no agent",
  considered: [],
};
