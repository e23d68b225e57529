import { stands } from "./guards.ts";
import type { PatchSetRecord } from "./task.ts";

/** What is committed: the tree, the commit that its set is for, and the one that it was brought onto, if any. */
export type Committed = { baseCommit: string; ontoCommit: string | null; treeId: string };

/** What an approval is bound to: what the set says, and what is made of it. */
export type Approved = Committed & { contentKey: string };

/** As it stands in the row of the approved set; a delivery compares it with the row's own values. */
export const bindingOf = ({ contentKey, baseCommit, ontoCommit, treeId }: Approved): string =>
  [contentKey, baseCommit, ...(ontoCommit === null ? [] : [ontoCommit]), treeId].join(":");

/** Whether what a person has approved is still what there is to deliver. */
export function approvalHolds(patch: PatchSetRecord): boolean {
  const { approvedBy, approvedBinding, treeId } = patch;
  if (approvedBy === null || treeId === null) return false;
  return approvedBinding === bindingOf({ ...patch, treeId }) || !stands("approval_binds");
}
