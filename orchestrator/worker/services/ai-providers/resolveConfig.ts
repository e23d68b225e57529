import type { ProviderConfig } from "../../../../shared/contracts/provider.ts";
import type { Placement } from "../../domain/placement.ts";
import type { ConfigLevel, ConfigSnapshot, Project, Sourced, Task } from "../../domain/task.ts";

/** The settings of one dispatch, each with the level it came from: task, project, organization, agent. */
export function resolveConfig(
  task: Task,
  project: Project,
  placement: Placement,
  provider: { name: string; config: ProviderConfig | null; credential: string | null },
): ConfigSnapshot {
  return {
    provider: {
      value: provider.name,
      from: task.preferredProvider === provider.name ? "task" : "project",
    },
    factory:
      placement.kind === "factory"
        ? { value: placement.factory.factory, from: placement.from }
        : { value: null, from: "platform" },
    model: modelOf(task, project, provider.config),
    endpoint: firstOf<string>([provider.config?.apiEndpoint, "organization"]),
    credential: { value: provider.credential, from: "platform" },
    limits: task.limits,
  };
}

/** A revert asks no model. */
const modelOf = (
  task: Task,
  project: Project,
  config: ProviderConfig | null,
): ConfigSnapshot["model"] =>
  task.reverts === null
    ? firstOf<string>(
        [task.model, "task"],
        [project.settings.model, "project"],
        [config?.defaultModel, "organization"],
      )
    : { value: null, from: "platform" };

function firstOf<T>(...levels: [T | null | undefined, ConfigLevel][]): Sourced<T | null> {
  for (const [value, from] of levels)
    if (value !== null && value !== undefined) return { value, from };
  return { value: null, from: "agent" };
}
