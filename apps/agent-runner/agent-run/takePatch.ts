import { join } from "node:path";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { createBaseRepository } from "../git/baseRepository.ts";
import { toDisplay } from "../git/bytePath.ts";
import type { GitPlace } from "../git/git.ts";
import type { ResolvedSource } from "../git/localSource.ts";
import { readBlobs } from "../git/objects.ts";
import { collectChanges, type TreeChange, type WorktreeChanges } from "../git/worktreeChanges.ts";
import type { Redactor } from "../redact.ts";
import { buildPatchSet, type PatchNaming } from "./patchSet.ts";

export type TakenPatch = {
  treeId: string;
  /** Null when nothing changed. */
  set: PatchSet | null;
  event: Extract<AgentEvent, { type: "diff" }>;
};

export type PatchTaking = {
  source: ResolvedSource;
  workspace: string;
  baseGitDir: string;
  aside: string;
  /** Whose files they are, where that is another user than the runner. */
  owner: number | null;
  maxPatchBytes: number;
  naming: PatchNaming;
  redactor: Redactor;
};

/**
 * What the agent left in its workspace, as a patch set against the base commit. The repository that compares is
 * made now, after the agent's last process has ended, so nothing in it can be of the agent's making.
 */
export async function takePatch(request: PatchTaking): Promise<TakenPatch> {
  const base = await createBaseRepository(request.baseGitDir, request.source);
  const place = { ...base, workTree: request.workspace, indexFile: join(base.gitDir, "index") };
  const found = await collectChanges({
    place,
    commit: request.source.commit,
    rules: "of_base",
    aside: request.aside,
    owner: request.owner,
    maxFileBytes: request.maxPatchBytes,
  });
  await refuseSecrets(place, found.changes, request.redactor);
  const built = await buildPatchSet(place, found.changes, found.treeId, request.naming);
  const bytes = Buffer.byteLength(JSON.stringify(built.set));
  if (bytes > request.maxPatchBytes)
    throw new SwitchyardError(
      "patch_too_large",
      `The patch has ${bytes} bytes, the limit is ${request.maxPatchBytes}.`,
    );
  refuseSecretText(built.set, request.redactor);
  const event = diffEvent(found, built);
  return { treeId: found.treeId, set: found.changes.length === 0 ? null : built.set, event };
}

/** A masked patch would be a wrong one, and an unmasked one would carry the secret into the repository. */
async function refuseSecrets(
  place: GitPlace,
  changes: readonly TreeChange[],
  redactor: Redactor,
): Promise<void> {
  const added = changes.flatMap(({ path, after }) => (after === null ? [] : [{ path, after }]));
  const ids = added.map(({ after }) => after.id);
  const blobs = await readBlobs(place, ids);
  for (const { path, after } of added) {
    const name = redactor.findIn(blobs.get(after.id) ?? Buffer.alloc(0));
    if (name !== null) throw secretIn(redactor.text(toDisplay(path)), name);
  }
}

/** Names of files, and lines that the patch only quotes as what it replaces. */
function refuseSecretText(set: PatchSet, redactor: Redactor): void {
  for (const patch of set.patches) {
    const name = redactor.findIn(Buffer.from(JSON.stringify([patch.block, patch.expect])));
    if (name !== null) throw secretIn(redactor.text(patch.file), name);
  }
  const name = redactor.findIn(Buffer.from(Object.keys(set.files).join("\n")));
  if (name !== null) throw secretIn(redactor.text(Object.keys(set.files).join(", ")), name);
}

const secretIn = (file: string, name: string): SwitchyardError =>
  new SwitchyardError(
    "secret_in_patch",
    `The patch is withheld: ${file} contains the value of the secret ${name}.`,
  );

const longestList = 500;

function diffEvent(
  { changes, hidden, leftOut }: WorktreeChanges,
  built: Awaited<ReturnType<typeof buildPatchSet>>,
): TakenPatch["event"] {
  return {
    type: "diff",
    files: changes.length,
    operations: built.set.patches.length,
    addedLines: built.addedLines,
    removedLines: built.removedLines,
    hiddenByIgnoreRules: hidden.slice(0, longestList).map(toDisplay),
    ...(leftOut.length === 0 ? {} : { leftOut: leftOut.slice(0, longestList).map(toDisplay) }),
  };
}
