import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { CreateProject, ProjectView } from "../../../../shared/contracts/project.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { projectNotFound } from "../../domain/notFound.ts";
import { type FactoryRef, findFactory, notRegistered } from "../../domain/placement.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { ProjectStore } from "../../domain/ports/projectStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { judgeSource } from "../../domain/sourcePolicy.ts";
import type { Project } from "../../domain/task.ts";

export type ProjectDeps = {
  projects: ProjectStore;
  clock: Clock;
  ids: Ids;
  knownProviders: readonly string[];
  /** Factories with containers of their own. */
  factories: readonly FactoryRef[];
  settings: Pick<Settings, "localMode" | "localRoots">;
};

export async function createProject(
  deps: ProjectDeps,
  principal: Principal,
  request: CreateProject,
): Promise<ProjectView> {
  const verdict = judgeSource(request.source, deps.settings);
  if (verdict.kind === "refused")
    throw new SwitchyardError("source_not_allowed", `source: ${verdict.because}.`);
  const wished = request.settings.preferredProvider;
  if (wished !== undefined && !deps.knownProviders.includes(wished))
    throw new SwitchyardError(
      "unknown_provider",
      `There is no provider "${wished}". Use one of: ${deps.knownProviders.join(", ")}.`,
    );
  refuseUnknownFactory(deps, principal, request.settings.factory);
  const project: Project = {
    organizationId: principal.organizationId,
    id: deps.ids.next("proj"),
    ...request,
    createdBy: principal.id,
    createdAtMs: deps.clock.nowMs(),
  };
  const created = await deps.projects.create(project, {
    actor: principal.id,
    action: "project.created",
    message: `${principal.id} created the project ${project.name}.`,
  });
  if (created.kind === "lost")
    throw new SwitchyardError(
      "project_exists",
      `There is a project named ${project.name} already.`,
    );
  return projectView(project);
}

function refuseUnknownFactory(
  { factories }: Pick<ProjectDeps, "factories">,
  { organizationId }: Principal,
  factory: string | undefined,
): void {
  if (factory === undefined) return;
  if (findFactory(factories, { organizationId, factory }) === null)
    throw new SwitchyardError(
      "factory_not_registered",
      `settings.factory: ${notRegistered(factory)}.`,
    );
}

export async function getProject(
  deps: Pick<ProjectDeps, "projects">,
  principal: Principal,
  id: string,
): Promise<ProjectView> {
  const project = await deps.projects.find(principal.organizationId, id);
  if (project === null) throw projectNotFound(id);
  return projectView(project);
}

/** Newest first; `next` is the `before` of the following page, null on the last one. */
export async function listProjects(
  deps: Pick<ProjectDeps, "projects">,
  principal: Principal,
  page: { before: string | null; limit: number },
): Promise<{ projects: ProjectView[]; next: string | null }> {
  const { before, limit } = page;
  const found = await deps.projects.list(principal.organizationId, before, limit + 1);
  const shown = found.slice(0, limit);
  const next = found.length > limit ? (shown.at(-1)?.id ?? null) : null;
  return { projects: shown.map(projectView), next };
}

const projectView = ({ organizationId: _, ...view }: Project): ProjectView => view;
