import {
  type PatchSetRecord,
  parentOf,
  type Task,
} from "../../../orchestrator/worker/domain/task.ts";
import type { Before, Violation } from "./invariants.ts";
import type { SimForge } from "./simForge.ts";
import { refusedAtRandom } from "./simPatches.ts";
import type { View } from "./simStores.ts";
import { type Change, carryOnto, isSame, isThere, type Tree } from "./treeChanges.ts";
import type { World } from "./world.ts";

/**
 * A revert takes back what is in the code, exactly that, once; it says that nothing is left only where nothing is;
 * and an order's head holds every commit that one of its rows says is delivered.
 */
export const revertsTakeBack = (world: World, view: View, before: Before): Violation[] => [
  ...view.tasks.flatMap((task) =>
    task.reverts === null || before.tasks.get(task.id)?.status === task.status
      ? []
      : revertIsRight(world.forge, view, task, task.reverts),
  ),
  ...headsHoldDeliveries(world.forge, view),
];

function revertIsRight(forge: SimForge, view: View, task: Task, patchSetId: string): Violation[] {
  const patch = view.patchSets.find(({ id }) => id === patchSetId);
  const old = view.tasks.find(({ id }) => id === patch?.taskId);
  if (patch?.status !== "delivered" || old?.orderId !== task.orderId)
    return [violation(`${task.id} takes back ${patchSetId}, which its order has not delivered`)];
  const own = view.patchSets.findLast(({ taskId }) => taskId === task.id);
  const head = headOf(view, task);
  if (task.status === "patching" && (own === undefined || parentOf(own) !== head))
    return [violation(`${task.id} was made on another commit than its order's head`)];
  const wanted = changeOf(forge, patch.commitSha);
  const faults = own?.faults ?? [];
  const isRefused =
    task.status === "escalated" && faults.some(({ message }) => message !== refusedAtRandom);
  if (isRefused && isAsBefore(wanted, forge.treeOf(head)))
    return [violation(`${task.id} is told as in conflict, and nothing is left of ${patchSetId}`)];
  return task.status === "completed" ? endIsRight(forge, task, { wanted, own, head }) : [];
}

function endIsRight(
  forge: SimForge,
  { id, outcome }: Task,
  { wanted, own, head }: { wanted: Change; own: PatchSetRecord | undefined; head: string | null },
): Violation[] {
  if (outcome?.code === "no_changes" || outcome?.code === "already_applied")
    return takeBack(wanted, forge.treeOf(head)) === "nothing left"
      ? []
      : [violation(`${id} says that nothing is left to take back`)];
  const made = changeOf(forge, own?.commitSha ?? null);
  const expected = takeBack(wanted, made.from);
  if (typeof expected === "string")
    return [violation(`${id} has taken a patch back where there was ${expected}`)];
  return isSame(expected, made.to)
    ? []
    : [violation(`${id} has done otherwise than take its patch back`)];
}

const violation = (what: string): Violation => ({ invariant: "revert", what });

function changeOf(forge: SimForge, sha: string | null): Change {
  const parent = forge.commits.get(sha ?? "")?.parent ?? null;
  return { from: forge.treeOf(parent), to: forge.treeOf(sha) };
}

const headOf = (view: View, { organizationId, projectId, orderId }: Task): string | null =>
  view.orders.find(
    (one) =>
      one.organizationId === organizationId && one.projectId === projectId && one.id === orderId,
  )?.headCommit ?? null;

/** Work in lines next to a change may be in its way, so nothing but the very same files is "as before". */
const isAsBefore = (change: Change, tree: Tree): boolean => isThere(turned(change), tree);

const takeBack = (change: Change, tree: Tree) => carryOnto(turned(change), tree);

const turned = ({ from, to }: Change): Change => ({ from: to, to: from });

function headsHoldDeliveries(forge: SimForge, view: View): Violation[] {
  const tasks = new Map(view.tasks.map((task) => [task.id, task]));
  return view.patchSets.flatMap(({ id, taskId, status, commitSha }) => {
    const task = tasks.get(taskId);
    if (status !== "delivered" || task === undefined || commitSha === null) return [];
    return forge.isOn(headOf(view, task), commitSha)
      ? []
      : [violation(`${id} is delivered, and its order's head has lost it`)];
  });
}
