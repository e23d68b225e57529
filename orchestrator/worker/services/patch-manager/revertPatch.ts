import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { RevertPatch } from "../../../../shared/contracts/patch.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { limitBounds } from "../../domain/limits.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { type Task, untouchedTask } from "../../domain/task.ts";
import { patchNotFound } from "./readPatches.ts";

export type RevertDeps = {
  tasks: TaskStore;
  patchSets: PatchSetStore;
  queue: TaskQueue;
  clock: Clock;
  ids: Ids;
  log: Log;
  settings: Pick<Settings, "resendAfterMs">;
};

/**
 * Hands over the task that takes a delivered patch back, in its order's turn. Errors: `patch_not_found`,
 * `patch_not_delivered`.
 */
export async function revertPatch(
  deps: RevertDeps,
  principal: Principal,
  patchSetId: string,
  { reason }: RevertPatch,
): Promise<Task> {
  const patch = await deps.patchSets.find(principal.organizationId, patchSetId);
  const old = patch && (await deps.tasks.find(patch));
  if (patch === null || old === null) throw patchNotFound(patchSetId);
  if (patch.status !== "delivered")
    throw new SwitchyardError(
      "patch_not_delivered",
      `The patch is ${patch.status}; only a delivered one can be taken back.`,
    );
  const task = revertOf(deps, old, patchSetId, { by: principal.id, reason });
  const accepted = await deps.tasks.accept({
    task,
    idempotency: null,
    sweepAtMs: task.createdAtMs + deps.settings.resendAfterMs,
    log: {
      actor: principal.id,
      action: "task.accepted",
      message: `It takes back patch ${patchSetId} of ${old.id}: ${reason}`,
    },
  });
  if (accepted.kind === "lost")
    throw new SwitchyardError("store_unavailable", "The task was not accepted. Send it again.");
  await send(deps, task);
  return task;
}

function revertOf(
  { ids, clock }: RevertDeps,
  old: Task,
  patchSetId: string,
  { by, reason }: { by: string; reason: string },
): Task {
  const nowMs = clock.nowMs();
  return {
    ...old,
    ...untouchedTask(nowMs),
    id: ids.next("task"),
    kind: "revert",
    prompt: { kind: "inline", text: `Revert ${patchSetId}: ${reason}` },
    preferredProvider: null,
    allowFallback: false,
    model: null,
    deadlineAtMs: nowMs + limitBounds.deadlineSeconds.default * 1000,
    callbackUrl: null,
    retries: 0,
    parentId: null,
    depth: 0,
    replayOf: null,
    reverts: patchSetId,
    createdBy: by,
  };
}

/** The row is the outbox: a message that cannot be sent now is sent by the sweep. */
async function send(deps: RevertDeps, { organizationId, id: taskId }: Task): Promise<void> {
  try {
    await deps.queue.send({ organizationId, taskId });
  } catch (error) {
    deps.log.warn("task.message_not_sent", { organizationId, taskId, error });
  }
}
