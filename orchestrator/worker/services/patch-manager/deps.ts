import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import type { ApprovalReason } from "../../../../shared/contracts/patch.ts";
import type { FileChange } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import type { Archives, Artifacts } from "../../domain/ports/artifacts.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Brief, ExecutionStore } from "../../domain/ports/executionStore.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { PatchRef, PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import type { Forge, Runner } from "../../domain/ports/runner.ts";
import type { Attempt, SupervisorMemory } from "../../domain/ports/supervisorMemory.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Notice, PatchSetRecord, Task } from "../../domain/task.ts";
import type { ValidatorOf } from "./validators.ts";

/** What is wanted of a patch beyond the fixed rules. */
export type PatchPolicy = {
  /** Why a person has to approve the verified patch; empty = nobody has to. */
  approvalReasons(
    brief: PatchBrief,
    set: PatchSet,
    changes: readonly FileChange[] | null,
  ): ApprovalReason[];
  /** How many remediations may follow one another; 0 = a bad patch is handed to a person. */
  remediationDepth(brief: Brief): number;
};

/** What it takes to bring a patch set into the code. */
export type PatchDeps = {
  memory: SupervisorMemory;
  executions: ExecutionStore;
  patchSets: PatchSetStore;
  /** Asked about what a task remediates. */
  tasks: Pick<TaskStore, "findContext" | "findStory">;
  /** The runner of patches; null when none is configured. */
  runner: Runner | null;
  forge: Forge | null;
  validatorOf: ValidatorOf;
  artifacts: Artifacts;
  archives: Archives;
  clock: Clock;
  ids: Ids;
  policy: PatchPolicy;
  settings: Pick<Settings, "heartbeatMs" | "lostAfterMs" | "resendAfterMs">;
  doorbellOf(attempt: Attempt): { url: string; token: string } | null;
  sendNotices(notices: readonly Notice[]): Promise<void>;
  /** Asks for a look at a task. */
  lookAgain(task: { organizationId: string; taskId: string }, delaySeconds: number): Promise<void>;
  /** A task has ended: whoever waited for that is looked at. */
  afterEnd(task: Task): Promise<void>;
  log: Log;
};

/** A brief whose patch set is there. */
export type PatchBrief = Brief & { patch: PatchSetRecord };

export const patchRefOf = (attempt: Attempt, { patch }: PatchBrief): PatchRef => ({
  organizationId: attempt.organizationId,
  taskId: attempt.taskId,
  fence: attempt.fence,
  patchSetId: patch.id,
});

/** The run of a patch set has an id for every try, so that one that a crash cut off can be made again. */
export const patchRunIdOf = (attempt: Attempt, { patch }: PatchBrief): string =>
  `${patch.id}-${attempt.patchTry}`;

/** Errors: `runner_unreachable` where no runner of patches is configured. */
export function forgeOf({ forge }: Pick<PatchDeps, "forge">): Forge {
  if (forge !== null) return forge;
  throw new SwitchyardError("runner_unreachable", "No runner of patches is configured.");
}
