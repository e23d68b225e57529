import { join } from "node:path";
import type { PatchFault, PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { FileConflict } from "../../../shared/patch/threeWay.ts";
import type { TreeFile } from "../../../shared/patch/treeFile.ts";
import { treeOf } from "../git/ancestry.ts";
import { exportTree } from "../git/baseRepository.ts";
import type { GitPlace } from "../git/git.ts";
import { collectChanges, type WorktreeChanges } from "../git/worktreeChanges.ts";
import type { RunMarkers } from "../processes/environment.ts";
import { applyInMemory, isThereAlready } from "./applyInMemory.ts";
import { compareOutcomes, compareTree } from "./compareEngines.ts";
import { runPatchManager } from "./patchManager.ts";

export type ApplyRequest = {
  set: PatchSet;
  /** The commit that the set was made for. */
  commit: string;
  /** The commit that the tree is to be committed on, where that is another one: the set is merged with it. */
  onto: string | null;
  base: GitPlace;
  allowProtected: boolean;
  /** A folder of the run that is thrown away. */
  scratch: string;
  markers: RunMarkers;
  signal: AbortSignal;
};

export type AppliedSet =
  | { kind: "applied"; treeId: string; files: number }
  | { kind: "refused"; faults: PatchFault[]; conflicts?: FileConflict[] }
  | { kind: "engine_mismatch"; message: string };

const largestFileBytes = 256 * 1024 * 1024;

/**
 * Applies a set to a clean checkout that no agent has seen, by two engines that know nothing of each other. The
 * tree is then read back from the disk: it has to be, byte for byte, the one that the engines agree on.
 */
export async function applySet(request: ApplyRequest): Promise<AppliedSet> {
  const { base, commit, onto, set, scratch, markers, signal } = request;
  if (onto !== null && (await isThereAlready(request, onto)))
    return { kind: "applied", treeId: await treeOf(base, onto), files: 0 };
  const policy = { baseIsHead: onto === null, allowProtected: request.allowProtected };
  const at = onto === null ? { commit, base: null } : { commit: onto, base: commit };
  const ours = await applyInMemory(base, at, set, policy);
  const checkout = join(scratch, "checkout");
  const baseRoot = onto === null ? null : join(scratch, "base");
  await exportTree(base, at.commit, checkout);
  if (baseRoot !== null) await exportTree(base, commit, baseRoot);
  const theirs = await runPatchManager({
    ...{ set, policy, baseRoot, markers, signal },
    root: checkout,
    temporary: scratch,
  });
  const disagreement = await compareOutcomes(ours, theirs);
  if (disagreement !== null) return { kind: "engine_mismatch", message: disagreement };
  if (ours.kind === "refused") return ours;
  const files = ours.kind === "applied" ? ours.files : new Map<string, TreeFile | null>();
  const found = await readBack(request, checkout);
  const difference = await compareTree(files, found.changes);
  if (difference !== null) return { kind: "engine_mismatch", message: difference };
  return { kind: "applied", treeId: found.treeId, files: found.changes.length };
}

const readBack = ({ base, commit, onto, scratch }: ApplyRequest, checkout: string) =>
  collectChanges({
    place: { ...base, workTree: checkout, indexFile: join(base.gitDir, "index") },
    commit: onto ?? commit,
    rules: "none",
    aside: join(scratch, "aside"),
    maxFileBytes: largestFileBytes,
  }) satisfies Promise<WorktreeChanges>;
