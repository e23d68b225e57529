import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import { type ApplyOutcome, applyPatchSet } from "../../../../shared/patch/apply.ts";
import type { ReadFile } from "../../../../shared/patch/treeFile.ts";
import type { Forge } from "../../domain/ports/runner.ts";
import type { PatchSetRecord } from "../../domain/task.ts";
import { treeOfSet } from "./treeOfSet.ts";

/** `readFile` answers with the tree that the outcome is told against. */
export type SetOutcome = { outcome: ApplyOutcome; readFile: ReadFile };

/**
 * What a set makes of the commit that its own is to follow: of its base, or, where the branch had moved, of what it
 * was brought onto, as the runner merges it. Errors: those of `Forge.readFiles`.
 */
export async function outcomeOfSet(
  forge: Forge,
  source: Source,
  { baseCommit, ontoCommit }: Pick<PatchSetRecord, "baseCommit" | "ontoCommit">,
  set: PatchSet,
): Promise<SetOutcome> {
  const base = await treeOfSet(forge, source, baseCommit, set);
  const policy = { baseIsHead: true, allowProtected: true };
  if (ontoCommit === null || ontoCommit === baseCommit)
    return {
      outcome: await applyPatchSet(set, base.readFile, policy),
      readFile: base.readFile,
    };
  const { readFile } = await treeOfSet(forge, source, ontoCommit, set);
  const merging = { ...policy, baseIsHead: false };
  return { outcome: await applyPatchSet(set, readFile, merging, base.readFile), readFile };
}
