import { stands } from "./guards.ts";
import type { PatchSetRecord } from "./task.ts";

/** What an approval is bound to: what the set says, the commit it is for, and the tree that it makes of it. */
export type Approved = { contentKey: string; baseCommit: string; treeId: string };

/** As it stands in the row of the approved set; a delivery compares it with the row's own values. */
export const bindingOf = ({ contentKey, baseCommit, treeId }: Approved): string =>
  `${contentKey}:${baseCommit}:${treeId}`;

/** Whether what a person has approved is still what there is to deliver. */
export function approvalHolds(patch: PatchSetRecord): boolean {
  const { approvedBy, approvedBinding, treeId } = patch;
  if (approvedBy === null || treeId === null) return false;
  return approvedBinding === bindingOf({ ...patch, treeId }) || !stands("approval_binds");
}
