import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import { maxFilesBytes } from "../../../../shared/contracts/forgeFiles.ts";
import type { Principal } from "../../../../shared/contracts/identity.ts";
import { maxInlineDiffBytes, type PatchFiles } from "../../../../shared/contracts/patchViews.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { decodeUtf8 } from "../../../../shared/patch/bytes.ts";
import { type FileChange, fileChanges } from "../../../../shared/patch/diff/fileChanges.ts";
import { writeGitDiff } from "../../../../shared/patch/diff/writeGitDiff.ts";
import type { TreeFile } from "../../../../shared/patch/treeFile.ts";
import { contentOf } from "../../../../shared/patch/wholeFile.ts";
import type { Forge } from "../../domain/ports/runner.ts";
import type { PatchSetRecord } from "../../domain/task.ts";
import { forgeOf } from "./deps.ts";
import { outcomeOfSet, type SetOutcome } from "./outcomeOfSet.ts";
import { findShownSet, notApplicable, type ReadPatchDeps } from "./readPatches.ts";

export type ShowDeps = ReadPatchDeps & { forge: Forge | null };

/**
 * What a set makes of the commit that it goes onto, as a diff that `git apply` takes. Errors: `patch_not_found`, `forbidden` for a set
 * that is withheld, `patch_not_applicable`, `files_too_large`, and those of the forge.
 */
export async function diffOfPatch(
  deps: ShowDeps,
  principal: Principal,
  patchSetId: string,
): Promise<Uint8Array> {
  return writeGitDiff((await changesOf(deps, principal, patchSetId)).changes);
}

/** Every file that a set changes, before and after, and the diff. Errors as of `diffOfPatch`. */
export async function filesOfPatch(
  deps: ShowDeps,
  principal: Principal,
  patchSetId: string,
): Promise<PatchFiles> {
  const { changes, ...against } = await changesOf(deps, principal, patchSetId);
  const diff = await writeGitDiff(changes);
  return {
    ...against,
    files: changes.map(({ path, from, before, after }) => ({
      path,
      from: from ?? null,
      before: sideOf(before),
      after: sideOf(after),
    })),
    diff: diff.length > maxInlineDiffBytes ? null : decodeUtf8(diff),
  };
}

const sideOf = (file: TreeFile | null): PatchFiles["files"][number]["before"] =>
  file === null ? null : { mode: file.mode, content: contentOf(file.bytes) };

async function changesOf(
  deps: ShowDeps,
  principal: Principal,
  patchSetId: string,
): Promise<Against & { changes: FileChange[] }> {
  const { patch, task, set } = await findShownSet(deps, principal, patchSetId);
  const { against, outcome, readFile } = await shownOutcome(forgeOf(deps), task.source, patch, set);
  if (outcome.kind === "refused")
    throw notApplicable("The set does not apply to its own base", outcome.faults);
  const changes = outcome.kind === "applied" ? await fileChanges(set, outcome, readFile) : [];
  refuseTooLarge(changes);
  return { ...against, changes };
}

type Against = Pick<PatchFiles, "baseCommit" | "ontoCommit">;

/** Where it met a conflict with what its branch had gone on to, what it wanted is told against its base. */
async function shownOutcome(
  forge: Forge,
  source: Source,
  { baseCommit, ontoCommit }: PatchSetRecord,
  set: PatchSet,
): Promise<SetOutcome & { against: Against }> {
  const against = { baseCommit, ontoCommit };
  const shown = await outcomeOfSet(forge, source, against, set);
  if (ontoCommit === null || shown.outcome.kind !== "refused") return { ...shown, against };
  const onBase = { baseCommit, ontoCommit: null };
  return { ...(await outcomeOfSet(forge, source, onBase, set)), against: onBase };
}

function refuseTooLarge(changes: readonly FileChange[]): void {
  const sizeOf = (file: TreeFile | null) => file?.bytes.length ?? 0;
  const bytes = changes.reduce((sum, { before, after }) => sum + sizeOf(before) + sizeOf(after), 0);
  if (bytes <= maxFilesBytes) return;
  throw new SwitchyardError(
    "files_too_large",
    `The files have ${bytes} bytes before and after, and ${maxFilesBytes} can be shown; look at them in the repository.`,
  );
}
