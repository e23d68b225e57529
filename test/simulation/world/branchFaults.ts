import type { SimCommit, SimForge } from "./simForge.ts";
import { carryOnto, isSame } from "./treeChanges.ts";

/** What is wrong with a move of a branch that the core has made. */
export function faultsOfMove(forge: SimForge, ref: string, from: string | null, to: string) {
  const commit = forge.commits.get(to);
  return [
    ...(from === null || forge.isOn(to, from) ? [] : [`${from} was thrown off ${ref} by ${to}`]),
    ...(commit === undefined ? [`${to} is no commit`] : lostChanges(forge, commit)),
    ...deliveredBefore(forge, ref)
      .filter((one) => one.taskId === commit?.taskId && forge.isOn(to, one.sha))
      .map(({ taskId, sha }) => `${taskId} was delivered twice, as ${sha} and ${to}`),
  ];
}

/** Commits of the core that were on a branch and are not in the history of where it goes now. */
export const leftBehind = (forge: SimForge, ref: string, to: string): string[] =>
  deliveredBefore(forge, ref).flatMap(({ sha }) => (forge.isOn(to, sha) ? [] : [sha]));

const deliveredBefore = ({ moves, commits }: SimForge, ref: string): SimCommit[] =>
  moves.flatMap((move) =>
    move.by === "core" && move.ref === ref ? (commits.get(move.to) ?? []) : [],
  );

/** Its tree is that of its parent with what its patch set changes, and nothing else. */
function lostChanges(forge: SimForge, { sha, parent, change }: SimCommit): string[] {
  if (change === null) return [];
  const expected = carryOnto(change, forge.treeOf(parent));
  if (typeof expected === "string") return [`${sha} was made where there was ${expected}`];
  return isSame(expected, forge.treeOf(sha))
    ? []
    : [`${sha} does otherwise than put its change onto ${parent}`];
}
