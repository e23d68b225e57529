import { SwitchyardError } from "../../../../shared/errors.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { AgentHandle, CodeAgent } from "../../domain/ports/codeAgent.ts";
import type { Brief, ExecutionStore } from "../../domain/ports/executionStore.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { ProviderConfigStore } from "../../domain/ports/providerConfigStore.ts";
import type { SecretSource } from "../../domain/ports/secrets.ts";
import type { Attempt, SupervisorMemory } from "../../domain/ports/supervisorMemory.ts";
import type { NewTask, TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Notice, Task } from "../../domain/task.ts";

/** What the steps of a run need. */
export type SupervisionDeps = {
  memory: SupervisorMemory;
  executions: ExecutionStore;
  /** Asked about what a task remediates. */
  tasks: Pick<TaskStore, "findContext">;
  providerConfigs: ProviderConfigStore;
  /** The agent of a provider; null when this version does not know the name. */
  agentOf(provider: string): CodeAgent | null;
  secrets: SecretSource;
  artifacts: Artifacts;
  clock: Clock;
  ids: Ids;
  log: Log;
  settings: Pick<Settings, "publicUrl" | "heartbeatMs" | "lostAfterMs" | "limitGraceMs">;
  /** Asks for another look at this task when its wait is over. */
  lookAgain(task: { organizationId: string; taskId: string }, delaySeconds: number): Promise<void>;
  /** The child that shall put right what no patch could be made of, or why there is none. */
  remediationOf(
    brief: Brief,
    because: string,
  ): Promise<{ kind: "child"; child: NewTask } | { kind: "none"; because: string | null }>;
  /** A slot is free: the next task may have it. */
  wakeNext(freed: { organizationId: string; projectId: string }): Promise<void>;
  /** A task has ended: whoever waited for that is looked at. */
  afterEnd(task: Task): Promise<void>;
  /** Gives back the containers that tried the patch of an attempt. May be repeated. */
  releaseValidations(attempt: Attempt): Promise<void>;
  sendNotices(notices: readonly Notice[]): Promise<void>;
};

/** The run of an attempt, for its agent. Throws `internal` when the attempt has none. */
export function handleOf({ organizationId, executionId, fence, factory }: Attempt): AgentHandle {
  if (executionId === null)
    throw new SwitchyardError("internal", "The attempt has no execution yet.");
  return { executionId, fence, factory: factoryRefOf(organizationId, factory) };
}

export const factoryRefOf = (organizationId: string, factory: string | null | undefined) =>
  factory == null ? null : { organizationId, factory };

export const refOf = ({ organizationId, taskId, fence }: Attempt) => ({
  organizationId,
  taskId,
  fence,
});
