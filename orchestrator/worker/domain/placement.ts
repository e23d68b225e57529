import type { Project, Task } from "./task.ts";

/** A factory with containers of its own. Another organization's factory of the same name is another one. */
export type FactoryRef = { organizationId: string; factory: string };

/** Where the agent of a task works. */
export type Placement =
  | { kind: "deployment" }
  | { kind: "factory"; factory: FactoryRef; from: "project" | "task" }
  | { kind: "not_registered"; because: string };

/**
 * The containers that the project names; else those of the factory that made the task; else the runner of this
 * deployment. A factory counts only where it is registered for the task's own organization.
 */
export function placeTask(
  registered: readonly FactoryRef[],
  task: Pick<Task, "organizationId" | "createdBy">,
  project: Pick<Project, "settings">,
): Placement {
  const { organizationId } = task;
  const { factory: named } = project.settings;
  if (named !== undefined) {
    const factory = findFactory(registered, { organizationId, factory: named });
    return factory === null
      ? { kind: "not_registered", because: notRegistered(named) }
      : { kind: "factory", factory, from: "project" };
  }
  const factory = factoryOf(registered, organizationId, task.createdBy);
  return factory === null ? { kind: "deployment" } : { kind: "factory", factory, from: "task" };
}

/** The containers of whoever acts, if it is a factory that has some. */
export const factoryOf = (
  registered: readonly FactoryRef[],
  organizationId: string,
  principal: string,
): FactoryRef | null =>
  principal.startsWith("factory:")
    ? findFactory(registered, { organizationId, factory: principal.slice("factory:".length) })
    : null;

export const findFactory = <T extends FactoryRef>(
  registered: readonly T[],
  { organizationId, factory }: FactoryRef,
): T | null =>
  registered.find((one) => one.organizationId === organizationId && one.factory === factory) ??
  null;

export const notRegistered = (factory: string): string =>
  `the factory "${factory}" has no containers registered for this organization: bind its entrypoint FactoryContainers and name it in FACTORY_CONTAINERS, or take settings.factory out of the project`;
