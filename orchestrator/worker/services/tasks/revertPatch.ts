import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { RevertPatch } from "../../../../shared/contracts/patch.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { stands } from "../../domain/guards.ts";
import { limitBounds } from "../../domain/limits.ts";
import { patchNotFound } from "../../domain/notFound.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import { type Task, untouchedTask } from "../../domain/task.ts";
import { type AcceptDeps, type Accepted, acceptTask } from "./acceptTask.ts";

export type RevertDeps = AcceptDeps & { patchSets: PatchSetStore; ids: Ids };

/**
 * Hands over the task that takes a delivered patch back, in its order's turn. Errors: `patch_not_found`,
 * `patch_not_delivered`, and those of `acceptTask`.
 */
export function revertPatch(
  deps: RevertDeps,
  { organizationId, id: actor }: Principal,
  patchSetId: string,
  { reason }: RevertPatch,
  idempotencyKey: string | null,
): Promise<Accepted> {
  const request = { reverts: patchSetId, reason };
  return acceptTask(
    deps,
    { organizationId, request, projectId: null, idempotencyKey },
    async () => {
      const old = await findDelivered(deps, organizationId, patchSetId);
      const message = `It takes back patch ${patchSetId} of ${old.id}: ${reason}`;
      return {
        task: revertOf(deps, old, patchSetId, { by: actor, reason }),
        log: { actor, action: "task.accepted", message },
      };
    },
  );
}

/** The task whose patch is in the code. */
async function findDelivered(
  { patchSets, tasks }: RevertDeps,
  organizationId: string,
  patchSetId: string,
): Promise<Task> {
  const patch = await patchSets.find(organizationId, patchSetId);
  const task = patch && (await tasks.find(patch));
  if (patch === null || task === null) throw patchNotFound(patchSetId);
  if (patch.status === "delivered" || !stands("revert_delivered")) return task;
  throw new SwitchyardError(
    "patch_not_delivered",
    `The patch is ${patch.status}; only a delivered one can be taken back.`,
  );
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
