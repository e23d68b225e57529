import { type Principal, roleAllows } from "../../../../shared/contracts/identity.ts";
import type { ApprovePatch, RejectPatch } from "../../../../shared/contracts/patch.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { type Approved, bindingOf } from "../../domain/approval.ts";
import { patchDetails } from "../../domain/auditDetails.ts";
import { stands } from "../../domain/guards.ts";
import { patchNotFound } from "../../domain/notFound.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { PatchRef, PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import type { Supervisors, TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Execution, PatchSetRecord, Task } from "../../domain/task.ts";

export type DecideDeps = {
  tasks: TaskStore;
  patchSets: PatchSetStore;
  supervisors: Supervisors;
  clock: Clock;
  ids: Ids;
  log: Log;
  settings: Pick<Settings, "resendAfterMs">;
  /** A task has ended: whoever waited for that is looked at. */
  afterEnd(task: Task): Promise<void>;
};

/**
 * A person lets exactly the named set and tree into the code. Errors: `forbidden` for whoever may not decide about
 * this task, `approval_mismatch` when the patch is not what is named, `not_awaiting_approval`. Approving again what
 * the same person has approved is no error.
 */
export async function approvePatch(
  deps: DecideDeps,
  principal: Principal,
  patchSetId: string,
  { reason, contentKey, treeId }: ApprovePatch,
): Promise<void> {
  const { patch, task, execution } = await findDecidable(deps, principal, patchSetId);
  const { baseCommit, ontoCommit } = patch;
  const approved = { contentKey, baseCommit, ontoCommit, treeId };
  if (patch.approvedBy === principal.id && patch.approvedBinding === bindingOf(approved)) return;
  requireWaiting(patch, task, deps.clock.nowMs());
  requireSeen(patch, approved);
  const nowMs = deps.clock.nowMs();
  const written = await deps.patchSets.approve(refOf(patch), {
    by: principal.id,
    approved,
    nowMs,
    sweepAtMs: nowMs + deps.settings.resendAfterMs,
    log: {
      actor: principal.id,
      action: "patch.approved",
      message: `${principal.id} approved the patch: ${reason}`,
      details: { ...patchDetails(execution, patch, { treeId }), reason },
    },
  });
  if (written.kind === "lost") throw notAwaiting("It has changed just now. Look at it again.");
  await poke(deps, refOf(patch));
}

/** A person refuses a patch: its task fails with the reason, and no agent tries it again. */
export async function rejectPatch(
  deps: DecideDeps,
  principal: Principal,
  patchSetId: string,
  { reason }: RejectPatch,
): Promise<void> {
  const { patch, task, execution } = await findDecidable(deps, principal, patchSetId);
  const nowMs = deps.clock.nowMs();
  requireWaiting(patch, task, nowMs);
  const outcome = {
    code: "approval_refused" as const,
    message: `${principal.id} refused the patch: ${reason}`,
  };
  const written = await deps.patchSets.end(refOf(patch), {
    patchEvent: "reject",
    taskEvent: "refuse",
    child: null,
    faults: patch.faults,
    validation: null,
    outcome,
    notices: noticesOfEnd(deps.ids, task, "failed", outcome, null, nowMs),
    nowMs,
    log: {
      actor: principal.id,
      action: "patch.approval_refused",
      message: outcome.message,
      details: { ...patchDetails(execution, patch, { treeId: patch.treeId }), reason },
    },
  });
  if (written.kind === "lost") throw notAwaiting("It has changed just now. Look at it again.");
  await poke(deps, refOf(patch));
  await deps.afterEnd(task);
}

const refOf = ({ organizationId, taskId, fence, id }: PatchSetRecord): PatchRef => ({
  organizationId,
  taskId,
  fence,
  patchSetId: id,
});

async function findDecidable(
  deps: DecideDeps,
  principal: Principal,
  patchSetId: string,
): Promise<{ patch: PatchSetRecord; task: Task; execution: Execution }> {
  if (!roleAllows(principal.role, "approver"))
    throw new SwitchyardError("forbidden", "Only an approver decides about a patch.");
  const patch = await deps.patchSets.find(principal.organizationId, patchSetId);
  const story = patch && (await deps.tasks.findStory(patch));
  if (patch === null || story === null || story.execution === null) throw patchNotFound(patchSetId);
  const { task, execution } = story;
  if (!principal.id.startsWith("user:"))
    throw new SwitchyardError(
      "forbidden",
      "Only a person decides about a patch, with a token of user:….",
    );
  if (stands("approver_differs") && (await isBehind(deps.tasks, task, principal.id)))
    throw new SwitchyardError(
      "forbidden",
      `${principal.id} handed over this task, or one that it comes from, so somebody else has to decide.`,
    );
  return { patch, task, execution };
}

/**
 * Whether somebody wanted the task or one that it stems from: those that it remediates, and the one that it replays,
 * up to their roots.
 */
async function isBehind(tasks: TaskStore, task: Task, principalId: string): Promise<boolean> {
  const open: (Task | null)[] = [task];
  const seen = new Set<string>();
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one === null || seen.has(one.id)) continue;
    if (one.createdBy === principalId) return true;
    seen.add(one.id);
    for (const taskId of [one.parentId, one.replayOf])
      if (taskId !== null)
        open.push(await tasks.find({ organizationId: one.organizationId, taskId }));
  }
  return false;
}

function requireWaiting(patch: PatchSetRecord, { waiting, fence }: Task, nowMs: number): void {
  if (patch.status !== "awaiting_approval" || waiting?.kind !== "approval" || fence !== patch.fence)
    throw notAwaiting(`It is ${patch.status}.`);
  if (nowMs >= waiting.expiresAtMs) throw notAwaiting("Nobody decided in time.");
}

function requireSeen(patch: PatchSetRecord, { contentKey, treeId }: Approved): void {
  if (patch.contentKey === contentKey && patch.treeId === treeId) return;
  throw new SwitchyardError(
    "approval_mismatch",
    `The patch is not what you name: its contentKey is ${patch.contentKey}, its treeId ${patch.treeId}. Look at it again.`,
  );
}

const notAwaiting = (because: string): SwitchyardError =>
  new SwitchyardError(
    "not_awaiting_approval",
    `The patch does not wait for an approval. ${because}`,
  );

/** If its supervisor cannot be reached now, its own alarm or the sweep finds it. */
async function poke(deps: DecideDeps, ref: TaskRef): Promise<void> {
  try {
    await deps.supervisors.poke(ref);
  } catch (error) {
    deps.log.warn("approval.supervisor_not_reached", { ...ref, error });
  }
}
