import type { RouteDecision } from "../../../../shared/contracts/provider.ts";
import { type Placement, placeTask } from "../../domain/placement.ts";
import type { TaskContext } from "../../domain/ports/taskStore.ts";
import { ownProvider } from "../../domain/task.ts";
import { type CandidateDeps, lookAtCandidates } from "./candidates.ts";
import { type Candidate, route } from "./router.ts";

export type RoutedTask = { placement: Placement; decision: RouteDecision; candidates: Candidate[] };

/** Where a task would be worked on, and by which provider, as things stand now; with `override` as if it asked for that one. */
export async function routeTask(
  deps: CandidateDeps,
  { task, project }: Pick<TaskContext, "task" | "project">,
  override: string | null = null,
): Promise<RoutedTask> {
  if (task.reverts !== null) return ownWork;
  const placement = placeTask(deps.factories, task, project);
  if (placement.kind === "not_registered") {
    const { because } = placement;
    const decision = { kind: "none" as const, because, transient: false, considered: [] };
    return { placement, decision, candidates: [] };
  }
  const factory = placement.kind === "factory" ? placement.factory : null;
  const candidates = await lookAtCandidates(deps, task.organizationId, factory);
  const decision = route(
    {
      sourceKind: task.source.kind,
      override: override ?? task.preferredProvider,
      allowFallback: override === null && task.allowFallback,
      preference: project.settings.preferredProvider ?? null,
    },
    candidates,
  );
  return { placement, decision, candidates };
}

/** A revert is made by Switchyard itself, wherever agents would work. */
const ownWork: RoutedTask = {
  placement: { kind: "deployment" },
  decision: {
    kind: "assign",
    provider: ownProvider,
    because: "a revert needs no agent",
    considered: [],
  },
  candidates: [],
};
