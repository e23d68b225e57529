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
  if (ref !== "") push(world, { kind: "local", path }, ref, changedBy);
}

/** A person commits to the branch of an order just when something is delivered to it. */
export function pushAgainstDeliveries(world: World, before: Before, after: Before): void {
  for (const [id, task] of after.tasks) {
    if (task.status !== "delivering" || before.tasks.get(id)?.status === "delivering") continue;
    const ref = `refs/heads/${branchOfOrder(task.orderId)}`;
    if (world.forge.isRaceLeft) push(world, task.source, ref, withNewFile);
    world.forge.isRaceLeft = false;
    if (!world.strikes("delivery_raced")) continue;
    const soonMs = world.chance.below(world.chance.happens(0.8) ? 20 : 200);
    world.timeline.after(soonMs, () => pushOn(world, task, ref));
  }
}

/** What somebody makes of a tree. */
type Make = (who: string, tree: Tree) => Tree;

/** On top of a branch, or on another history of it. */
function push(world: World, source: Source, ref: string, make: Make): void {
  const { forge, trees } = world;
  const tip = forge.tipOf(source, ref);
  const isRewritten = tip !== null && world.strikes("branch_rewritten");
  const parent = isRewritten ? (forge.commits.get(tip)?.parent ?? null) : tip;
  forge.pushByHand(source, ref, {
    parent: parent ?? shaOf("the first commit"),
    treeId: trees.put(make(`a push to ${ref} after ${tip}`, forge.treeOf(parent))),
  });
}

/** Mostly something of his own; at times what no patch goes with, or what a task does as well. */
function pushOn(world: World, task: Task, ref: string): void {
  const change = changeOf(world, task);
  push(world, task.source, ref, (who, tree) => {
    if (change !== null && world.strikes("change_made_twice")) {
      const made = carryOnto(change, tree);
      if (typeof made !== "string") return made;
    }
    return change !== null && world.strikes("branch_conflicts")
      ? inTheWayOf(change, tree, who)
      : changedBy(who, tree);
  });
}

/** Goes with every patch. */
const withNewFile: Make = (who, tree) =>
  new Map([...tree, ["src/by hand.js", `export const by = "${who}";\n`]]);

const changeOf = ({ patches }: World, { id }: Task): Change | null =>
  [...patches.runs.values()].findLast(({ request }) => request.taskId === id)?.change ?? null;
