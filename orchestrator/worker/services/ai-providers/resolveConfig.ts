import type { ProviderConfig } from "../../../../shared/contracts/provider.ts";
import type { Placement } from "../../domain/placement.ts";
import type { ConfigLevel, ConfigSnapshot, Project, Sourced, Task } from "../../domain/task.ts";

/** The settings of one dispatch, each with the level it came from: task, project, organization, agent. */
export function resolveConfig(
  task: Task,
  project: Project,
  placement: Placement,
  provider: { name: string; config: ProviderConfig | null; credential: string },
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
    model: firstOf<string>(
      [task.model, "task"],
      [project.settings.model, "project"],
      [provider.config?.defaultModel, "organization"],
    ),
    endpoint: firstOf<string>([provider.config?.apiEndpoint, "organization"]),
    credential: { value: provider.credential, from: "platform" },
    limits: task.limits,
  };
}

function firstOf<T>(...levels: [T | null | undefined, ConfigLevel][]): Sourced<T | null> {
  for (const [value, from] of levels)
    if (value !== null && value !== undefined) return { value, from };
  return { value: null, from: "agent" };
}
