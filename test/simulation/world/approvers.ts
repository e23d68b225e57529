import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { PatchSetStatus } from "../../../orchestrator/worker/domain/states.ts";
import {
  type PatchSetRecord,
  parentOf,
  type Task,
} from "../../../orchestrator/worker/domain/task.ts";
import {
  approvePatch,
  rejectPatch,
} from "../../../orchestrator/worker/services/patch-manager/decidePatch.ts";
import { getPatchSet } from "../../../orchestrator/worker/services/patch-manager/readPatches.ts";
import { afterEnd } from "../../../orchestrator/worker/services/sweep/afterEnd.ts";
import type { Principal } from "../../../shared/contracts/identity.ts";
import type { View } from "./simStores.ts";
import type { World, WorldDeps } from "./world.ts";

/** Who wanted what exactly to be delivered. */
export type Approval = {
  by: string;
  patchSetId: string;
  contentKey: string;
  /** The commit that its own was to follow. */
  parent: string;
  treeId: string;
};

export type Once = (
  name: string,
  work: (deps: WorldDeps) => Promise<unknown>,
) => Promise<{ kind: "answered"; value: unknown } | { kind: "failed" }>;

/** Somebody looks at the patch that a task waits with, thinks, and decides; at times whoever wanted the task. */
export async function decideAsPerson(
  world: World,
  approvals: Approval[],
  { organizationId, taskId }: TaskRef,
  once: Once,
): Promise<void> {
  const { chance } = world;
  const id = chance.happens(0.2) ? chance.pick(["user:ada", "user:op"]) : "user:approver";
  const principal: Principal = { id, organizationId, role: "approver" };
  const thinksMs = chance.happens(0.5) ? 0 : chance.below(60_000);
  const rejects = chance.happens(0.1);
  const { patchSets } = await world.stores.view();
  const patch = patchSets.find(
    (one) => one.taskId === taskId && one.status === "awaiting_approval",
  );
  if (patch === undefined) return;
  await once(`approver ${id}`, async (deps) => {
    const seen = await getPatchSet(deps, principal, patch.id);
    if (thinksMs > 0) await world.timeline.sleep(thinksMs);
    const deciding = { ...deps, afterEnd: (task: Task) => afterEnd(deps, task) };
    if (rejects) return rejectPatch(deciding, principal, patch.id, { reason: "No." });
    if (seen.treeId === null) return null;
    const { contentKey, treeId } = seen;
    approvals.push({ by: id, patchSetId: patch.id, contentKey, parent: parentOf(seen), treeId });
    return approvePatch(deciding, principal, patch.id, { reason: "Good.", contentKey, treeId });
  });
}

/** Why the projects of some seeds want a person. */
export const largeSet = { code: "too_large" as const, file: null, message: "It is large." };

/**
 * Just when a patch is shown to a person, or just when he has approved it, something else than the processor makes
 * it anew, as a base that has moved would.
 */
export function remakeSoon(world: World, was: Task | undefined, { id, waiting }: Task): void {
  const concerns = [was?.waiting?.kind, waiting?.kind].includes("approval");
  if (!concerns || !world.strikes("patch_remade")) return;
  world.timeline.after(world.chance.below(1_000), async () => {
    const { patchSets } = await world.stores.view();
    const patch = patchSets.find(({ taskId, status }) => taskId === id && isOpen.includes(status));
    if (patch !== undefined) await remake(world, patch);
  });
}

const isOpen: readonly PatchSetStatus[] = ["awaiting_approval", "validating"];

async function remake(world: World, patch: PatchSetRecord): Promise<void> {
  if (patch.treeId === null) return;
  const treeId = world.trees.anew(patch.treeId);
  world.patches.remake(patch.id, treeId);
  await world.stores.remake(patch, treeId);
  world.trace.tell(world.nowMs, "repository", `${patch.id} now makes ${treeId.slice(0, 8)}`);
}

/** What is wrong with the delivery of a patch set that a person had to look at; null = nothing. */
export function unapprovedDelivery(
  world: World,
  approvals: readonly Approval[],
  view: View,
  patch: PatchSetRecord,
): string | null {
  if (patch.status !== "delivering" && patch.status !== "delivered") return null;
  if (!world.wantsApproval(patch.id)) return null;
  const commit = world.forge.commits.get(patch.commitSha ?? "");
  const wanted = wantedBy(view, patch.taskId);
  const isApproved = approvals.some(
    ({ by, patchSetId, contentKey, parent, treeId }) =>
      patchSetId === patch.id &&
      contentKey === patch.contentKey &&
      parent === commit?.parent &&
      treeId === commit.treeId &&
      !wanted.has(by),
  );
  return isApproved ? null : `${patch.id} is delivered as nobody else has approved it`;
}

/** Everybody who wanted a task, or one that it stems from. */
function wantedBy(view: View, taskId: string | null): Set<string> {
  const task = view.tasks.find(({ id }) => id === taskId);
  if (task === undefined) return new Set();
  const above = [task.parentId, task.replayOf].flatMap((id) =>
    id === null ? [] : [...wantedBy(view, id)],
  );
  return new Set([task.createdBy, ...above]);
}
