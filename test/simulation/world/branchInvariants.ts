import { maxBranchMoves } from "../../../orchestrator/worker/domain/limits.ts";
import type { Violation } from "./invariants.ts";
import type { View } from "./simStores.ts";
import { carryOnto } from "./treeChanges.ts";
import type { World } from "./world.ts";

/** I3: what the core does to the branch of an order, whoever else commits to it. */
export const branchesKept = (world: World, view: View): Violation[] => [
  ...world.forge.faults.map((what) => violation("I3", what)),
  ...goneOnWith(world, view),
  ...reallyApplied(world, view),
  ...movesBounded(world),
];

const violation = (invariant: string, what: string): Violation => ({ invariant, what });

/**
 * A branch that somebody has rewritten is not gone on with: what was delivered would be off it without a word. Of a
 * move whose answer was lost nobody knows, so what it brought there was not delivered yet.
 */
const goneOnWith = ({ forge }: World, view: View): Violation[] =>
  view.patchSets.flatMap(({ id, status, commitSha }) => {
    const by = forge.leftBehind.get(commitSha ?? "");
    return status === "delivered" && by !== undefined
      ? [violation("I3", `${id} was delivered as ${commitSha}, and ${by} is without it`)]
      : [];
  });

/** What is told as there already is in the commit that is named. */
const reallyApplied = ({ forge, patches }: World, view: View): Violation[] =>
  view.patchSets.flatMap(({ id, status, ontoCommit }) => {
    if (status !== "already_applied") return [];
    const change = patches.ofSet(id)?.change ?? null;
    return change === null || carryOnto(change, forge.treeOf(ontoCommit)) === "nothing left"
      ? []
      : [violation("I6", `${id} is told as applied and ${ontoCommit} is without it`)];
  });

/** Whoever commits all the time does not keep a patch going round for ever. */
function movesBounded({ patches }: World): Violation[] {
  const moves = new Map<string, Set<string>>();
  for (const { id, request } of patches.runs.values()) {
    if (request.onto === undefined) continue;
    const patchSetId = id.slice(0, id.lastIndexOf("-"));
    const all = moves.get(patchSetId) ?? new Set();
    moves.set(patchSetId, all.add(request.onto));
  }
  return [...moves].flatMap(([id, { size }]) =>
    size > maxBranchMoves ? [violation("bounds", `${id} was brought onto ${size} commits`)] : [],
  );
}
