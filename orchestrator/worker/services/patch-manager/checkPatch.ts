import type { PatchFault, PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { CheckPatch, PatchCheck } from "../../../../shared/contracts/patchViews.ts";
import { isSafeBranchName } from "../../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { type AppliedOutcome, applyPatchSet } from "../../../../shared/patch/apply.ts";
import { fileFault } from "../../../../shared/patch/faults.ts";
import { directoriesOf } from "../../../../shared/patch/paths.ts";
import type { Forge } from "../../domain/ports/runner.ts";
import { branchOfOrder, type Task } from "../../domain/task.ts";
import { forgeOf } from "./deps.ts";
import { findShownSet } from "./readPatches.ts";
import type { ShowDeps } from "./showChanges.ts";
import { type SetTree, treeOfSet } from "./treeOfSet.ts";

/**
 * What would come of a set on the head of a ref as it is now. Nothing is written, and nothing is promised for later.
 * Errors: `patch_not_found`, `forbidden` for a set that is withheld, `invalid_request` for a ref that is not there,
 * `files_too_large`, and those of the forge.
 */
export async function checkPatch(
  deps: ShowDeps,
  principal: Principal,
  patchSetId: string,
  { ref }: CheckPatch,
): Promise<PatchCheck> {
  const { patch, task, set } = await findShownSet(deps, principal, patchSetId);
  const forge = forgeOf(deps);
  const { ontoCommit } = patch;
  const target = { ...(await headOf(forge, task, ref)), ontoCommit };
  const head = await treeOfSet(forge, task.source, target.commit, set);
  const baseIsHead = target.commit === patch.baseCommit;
  const base = baseIsHead ? undefined : await treeOfSet(forge, task.source, patch.baseCommit, set);
  // A path that needs a person is no obstacle to the engines; the gate asks about it.
  const policy = {
    baseIsHead,
    allowProtected: true,
    ...(task.allowedPaths === null ? {} : { allowedPaths: task.allowedPaths }),
  };
  const outcome = await applyPatchSet(set, head.readFile, policy, base?.readFile);
  if (outcome.kind === "already_applied") return { kind: "already_applied", ...target };
  const faults = outcome.kind === "refused" ? outcome.faults : faultsInTheWay(set, outcome, head);
  if (outcome.kind === "refused" || faults.length > 0)
    return { kind: "refused", ...target, faults, conflicts: conflictsOf(outcome) };
  return {
    kind: "applies",
    ...target,
    files: [...outcome.files].map(([path, file]) => ({ path, deleted: file === null })),
    shifts: outcome.shifts ?? [],
    merged: outcome.merged ?? [],
  };
}

type Head = { ref: string; commit: string };

async function headOf(forge: Forge, { source, orderId }: Task, ref?: string): Promise<Head> {
  const tried = ref === undefined ? [branchOfOrder(orderId), source.branch ?? []].flat() : [ref];
  for (const name of tried) {
    const full = name.startsWith("refs/") ? name : `refs/heads/${name}`;
    if (!isSafeBranchName(full)) continue;
    const commit = await forge.readRef(source, full);
    if (commit !== null) return { ref: full, commit };
  }
  throw new SwitchyardError(
    "invalid_request",
    `ref: ${tried.join(" and ")} ${tried.length > 1 ? "are" : "is"} not there; name a branch of the repository.`,
  );
}

/** The engines know files alone; what else a tree holds can stand where the set wants a file. */
function faultsInTheWay(set: PatchSet, { files }: AppliedOutcome, head: SetTree): PatchFault[] {
  const vacated = new Set(
    Object.entries(set.files).flatMap(([path, { op, from }]) =>
      op === "delete" ? [path] : op === "rename" ? [from ?? path] : [],
    ),
  );
  return [...files].flatMap(([path, after]) => {
    if (after === null) return [];
    if ([path, ...directoriesOf(path)].some((one) => head.entryAt(one).kind === "submodule"))
      return [fileFault(path, "path_not_allowed", "a submodule stands there")];
    const entry = head.entryAt(path);
    if (entry.kind !== "directory") return [];
    const goes = [...vacated].filter((one) => one.startsWith(`${path}/`)).length;
    return goes === entry.files
      ? []
      : [fileFault(path, "file_exists", "the path is taken by a directory")];
  });
}

const conflictsOf = (
  outcome: Awaited<ReturnType<typeof applyPatchSet>>,
): Extract<PatchCheck, { kind: "refused" }>["conflicts"] =>
  outcome.kind === "refused"
    ? (outcome.conflicts ?? []).map(({ file, hunks }) => ({ file, hunks }))
    : [];
