import type { PatchSetRecord, Task } from "../../../orchestrator/worker/domain/task.ts";
import type { Before, Violation } from "./invariants.ts";
import type { SimForge } from "./simForge.ts";
import type { View } from "./simStores.ts";
import { linesOf, type Tree } from "./simTrees.ts";
import type { World } from "./world.ts";

/** What a patch changed, or what a revert of it has to change back. */
type Change = { before: Tree; after: Tree };

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
  if (task.status === "patching" && own?.baseCommit !== head)
    return [violation(`${task.id} was made on another commit than its order's head`)];
  const wanted = changeOf(forge, patch.commitSha);
  const isRefused = task.status === "escalated" && (own?.faults ?? []).length > 0;
  if (isRefused && isAsBefore(wanted, forge.treeOf(head)))
    return [violation(`${task.id} is told as in conflict, and nothing is left of ${patchSetId}`)];
  return task.status === "completed" ? endIsRight(forge, task, { wanted, own, head }) : [];
}

function endIsRight(
  forge: SimForge,
  { id, outcome }: Task,
  { wanted, own, head }: { wanted: Change; own: PatchSetRecord | undefined; head: string | null },
): Violation[] {
  if (outcome?.code === "no_changes")
    return takeBack(wanted, forge.treeOf(head)) === "nothing left"
      ? []
      : [violation(`${id} says that nothing is left to take back`)];
  const made = changeOf(forge, own?.commitSha ?? null);
  const expected = takeBack(wanted, made.before);
  if (typeof expected === "string")
    return [violation(`${id} has taken a patch back where there was ${expected}`)];
  return isSame(expected, made.after)
    ? []
    : [violation(`${id} has done otherwise than take its patch back`)];
}

const violation = (what: string): Violation => ({ invariant: "revert", what });

function changeOf(forge: SimForge, sha: string | null): Change {
  const parent = forge.commits.get(sha ?? "")?.parent ?? null;
  return { before: forge.treeOf(parent), after: forge.treeOf(sha) };
}

const headOf = (view: View, { organizationId, projectId, orderId }: Task): string | null =>
  view.orders.find(
    (one) =>
      one.organizationId === organizationId && one.projectId === projectId && one.id === orderId,
  )?.headCommit ?? null;

/** Work in lines next to a change may be in its way, so nothing but the very same files is "as before". */
const isAsBefore = ({ before, after }: Change, tree: Tree): boolean =>
  [...before.keys(), ...after.keys()].every(
    (path) => before.get(path) === after.get(path) || before.get(path) === tree.get(path),
  );

/** A tree without a change, where all else of it stays; or why there is no such tree. */
function takeBack({ before, after }: Change, tree: Tree): Tree | "nothing left" | "later work" {
  const made = new Map(tree);
  let isLeft = false;
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is, now] = [before.get(path), after.get(path), tree.get(path)];
    if (was === is || now === was) continue;
    const text = now === is ? was : lineByLine(was, is, now);
    if (text === null) return "later work";
    isLeft ||= text !== now;
    if (text === undefined) made.delete(path);
    else made.set(path, text);
  }
  return isLeft ? made : "nothing left";
}

/** Null where a line that the change made is another one by now. No change of this world moves a line. */
function lineByLine(
  was: string | undefined,
  is: string | undefined,
  now: string | undefined,
): string | null {
  if (was === undefined || is === undefined || now === undefined) return null;
  const [from, to] = [linesOf(was), linesOf(is)];
  const lines = linesOf(now);
  for (const [at, line] of lines.entries()) {
    if (from[at] === to[at] || line === from[at]) continue;
    if (line !== to[at]) return null;
    lines[at] = from[at] ?? "";
  }
  return lines.join("");
}

const isSame = (one: Tree, other: Tree): boolean =>
  one.size === other.size && [...one].every(([path, text]) => other.get(path) === text);

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
