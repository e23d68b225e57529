import { branchOfOrder, type Task } from "../../../orchestrator/worker/domain/task.ts";
import type { Before } from "./invariants.ts";
import { shaOf } from "./shaOf.ts";
import { type Change, carryOnto, changedBy, inTheWayOf, type Tree } from "./treeChanges.ts";
import type { World } from "./world.ts";

type Source = { kind: string; path?: string };

/** A person commits to a branch of some order, at any time. */
export function pushNowAndThen(world: World): void {
  if (!world.strikes("branch_moved")) return;
  const refs = [...world.forge.refs.keys()];
  const [path = "", ref = ""] = (refs[world.chance.below(refs.length)] ?? "").split(":");
  if (ref !== "") push(world, { kind: "local", path }, ref, null);
}

/** A person commits to the branch of an order just when something is delivered to it. */
export function pushAgainstDeliveries(world: World, before: Before, after: Before): void {
  for (const [id, task] of after.tasks) {
    if (task.status !== "delivering" || before.tasks.get(id)?.status === "delivering") continue;
    const ref = `refs/heads/${branchOfOrder(task.orderId)}`;
    if (world.forge.isRaceLeft) push(world, task.source, ref, task);
    world.forge.isRaceLeft = false;
    if (!world.strikes("delivery_raced")) continue;
    const soonMs = world.chance.below(world.chance.happens(0.8) ? 20 : 200);
    world.timeline.after(soonMs, () => push(world, task.source, ref, task));
  }
}

/** Mostly something of his own; at times what no patch goes with, what a task does as well, or another history. */
function push(world: World, source: Source, ref: string, task: Task | null): void {
  const { forge, trees } = world;
  const tip = forge.tipOf(source, ref);
  const isRewritten = tip !== null && world.strikes("branch_rewritten");
  const parent = isRewritten ? (forge.commits.get(tip)?.parent ?? null) : tip;
  const tree = treeOfPush(world, forge.treeOf(parent), task, `a push to ${ref} after ${tip}`);
  forge.pushByHand(source, ref, {
    parent: parent ?? shaOf("the first commit"),
    treeId: trees.put(tree),
  });
}

function treeOfPush(world: World, tree: Tree, task: Task | null, who: string): Tree {
  const change = task === null ? null : changeOf(world, task);
  if (change !== null && world.strikes("change_made_twice")) {
    const made = carryOnto(change, tree);
    if (typeof made !== "string") return made;
  }
  return change !== null && world.strikes("branch_conflicts")
    ? inTheWayOf(change, tree, who)
    : changedBy(who, tree);
}

const changeOf = ({ patches }: World, { id }: Task): Change | null =>
  [...patches.runs.values()].findLast(({ request }) => request.taskId === id)?.change ?? null;
