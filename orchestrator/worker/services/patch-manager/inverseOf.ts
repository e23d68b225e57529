import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { applyPatchSet, isSameFile } from "../../../../shared/patch/apply.ts";
import { fileChanges } from "../../../../shared/patch/diff/fileChanges.ts";
import { patchSetFromDiff } from "../../../../shared/patch/diff/patchSetFromDiff.ts";
import { writeGitDiff } from "../../../../shared/patch/diff/writeGitDiff.ts";
import { invertPatchSet } from "../../../../shared/patch/invert.ts";
import type { ReadFile } from "../../../../shared/patch/treeFile.ts";
import { stands } from "../../domain/guards.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import type { PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import type { Forge } from "../../domain/ports/runner.ts";
import { branchOfOrder, type PatchSetRecord, type Task } from "../../domain/task.ts";
import { forgeOf } from "./deps.ts";
import { outcomeOfSet } from "./outcomeOfSet.ts";
import { notApplicable } from "./readPatches.ts";
import { readSet } from "./readSet.ts";
import { treeOfSet } from "./treeOfSet.ts";

export type InverseDeps = {
  patchSets: Pick<PatchSetStore, "find">;
  artifacts: Artifacts;
  forge: Forge | null;
};

/** `set` is null when the files are as they were before the patch; `head` is the commit that it is against. */
export type Inverse = { head: string; set: PatchSet | null };

/**
 * What takes back the patch that a task reverts, against the head of its order. Where later work stands in the way it
 * is the plain inverse, which the gate then refuses with every fault. Errors: `patch_not_applicable`,
 * `files_too_large`, and those of the forge.
 */
export async function inverseOf(
  deps: InverseDeps,
  { task, order }: Pick<Brief, "task" | "order">,
): Promise<Inverse> {
  const patch = await deps.patchSets.find(task.organizationId, task.reverts ?? "");
  if (patch === null || patch.commitSha === null)
    throw new SwitchyardError("internal", "The patch that is to be taken back is missing.");
  const commit = patch.commitSha;
  const head = order.headCommit ?? commit;
  const exact = await exactInverse(deps, patch, { source: task.source, taskId: task.id, head });
  const set =
    exact === null || head === commit
      ? (exact?.inverse ?? null)
      : await carriedTo(forgeOf(deps), task.source, exact, { commit, head });
  if (set === null) await requireUnmoved(deps, task, head);
  return { head, set };
}

/** What is no longer in the order's head may have come back in what somebody has committed to the branch since. */
async function requireUnmoved(deps: InverseDeps, task: Task, head: string): Promise<void> {
  const branch = branchOfOrder(task.orderId);
  const current = await forgeOf(deps).readRef(task.source, `refs/heads/${branch}`);
  if (current === head) return;
  throw new SwitchyardError(
    "patch_not_applicable",
    `Nothing of the patch is left at ${head}, where the order left ${branch}, but the branch is ${current === null ? "gone" : `at ${current}`} by now. Look there, and take back by hand what has come back.`,
  );
}

/** `readFile` reads the tree before the patch. */
type Exact = { inverse: PatchSet; readFile: ReadFile };

async function exactInverse(
  deps: InverseDeps,
  patch: PatchSetRecord,
  { source, taskId, head }: { source: Source; taskId: string; head: string },
): Promise<Exact | null> {
  const read = await readSet(deps.artifacts, patch);
  if (read.kind !== "parsed") throw notApplicable("The set is not well-formed", read.faults);
  const set = { ...read.set, task_id: taskId };
  const { outcome, readFile } = await outcomeOfSet(forgeOf(deps), source, patch, set);
  if (outcome.kind === "refused")
    throw notApplicable("The set does not apply to what it was delivered on", outcome.faults);
  if (outcome.kind === "already_applied" || outcome.files.size === 0) return null;
  return { inverse: await invertPatchSet(set, outcome, readFile, head), readFile };
}

/** The inverse on what the order has gone on to: files that changed since are merged by lines. */
async function carriedTo(
  forge: Forge,
  source: Source,
  { inverse, readFile }: Exact,
  { commit, head }: { commit: string; head: string },
): Promise<PatchSet | null> {
  const now = await treeOfSet(forge, source, head, inverse);
  if (await isTakenBack(inverse, readFile, now.readFile)) return null;
  const then = await treeOfSet(forge, source, commit, inverse);
  const policy = { baseIsHead: false, allowProtected: true };
  const outcome = await applyPatchSet(inverse, now.readFile, policy, then.readFile);
  if (outcome.kind !== "applied" || outcome.merged === undefined) return inverse;
  if (outcome.files.size === 0) return null;
  const diff = await writeGitDiff(await fileChanges(inverse, outcome, now.readFile));
  const naming = { id: inverse.id, base: inverse.base, taskId: inverse.task_id };
  const merged = await patchSetFromDiff(
    diff,
    { ...naming, provider: "patch-manager" },
    now.readFile,
  );
  return merged.kind === "converted" ? merged.set : inverse;
}

/**
 * Whether every file is as it was before the patch. The engines do not say so of a set that deletes only: they do not
 * know whether its files were ever there.
 */
async function isTakenBack(inverse: PatchSet, before: ReadFile, now: ReadFile): Promise<boolean> {
  if (!stands("revert_once")) return false;
  const paths = Object.entries(inverse.files).flatMap(([path, { from }]) => [path, from ?? path]);
  for (const path of paths)
    if (!isSameFile((await before(path)) ?? null, (await now(path)) ?? null)) return false;
  return true;
}
