import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Brief, ExecutionStore } from "../../domain/ports/executionStore.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { PatchRef, PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import type { Forge, Runner } from "../../domain/ports/runner.ts";
import type { Attempt, SupervisorMemory } from "../../domain/ports/supervisorMemory.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Notice, PatchSetRecord } from "../../domain/task.ts";

/** What it takes to bring a patch set into the code. */
export type PatchDeps = {
  memory: SupervisorMemory;
  executions: ExecutionStore;
  patchSets: PatchSetStore;
  /** The runner of patches; null when none is configured. */
  runner: Runner | null;
  forge: Forge | null;
  artifacts: Artifacts;
  clock: Clock;
  ids: Ids;
  settings: Pick<Settings, "heartbeatMs" | "lostAfterMs">;
  doorbellOf(attempt: Attempt): { url: string; token: string } | null;
  sendNotices(notices: readonly Notice[]): Promise<void>;
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
