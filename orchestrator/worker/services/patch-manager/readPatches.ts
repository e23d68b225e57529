import type { PatchFault, PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { PatchDetail, PatchSummary } from "../../../../shared/contracts/patch.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { patchNotFound } from "../../domain/notFound.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { PatchSetFilter, PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import { addsSecret, type PatchSetRecord, type Task } from "../../domain/task.ts";
import { readSet } from "./readSet.ts";

export type ReadPatchDeps = { tasks: TaskStore; patchSets: PatchSetStore; artifacts: Artifacts };

/** Newest first; `next` is the `before` of the following page, null on the last one. */
export async function listPatches(
  { patchSets }: Pick<ReadPatchDeps, "patchSets">,
  { organizationId }: Principal,
  filter: Omit<PatchSetFilter, "organizationId">,
): Promise<{ patches: PatchSummary[]; next: string | null }> {
  const limit = filter.limit + 1;
  const found = await patchSets.list({ ...filter, organizationId, limit });
  const page = found.slice(0, filter.limit);
  const next = found.length > filter.limit ? (page.at(-1)?.id ?? null) : null;
  return { patches: page.map(summaryOf), next };
}

/** What an approver has to see: the operations, what the project's commands said, and why a person is asked. */
export async function getPatchSet(
  deps: ReadPatchDeps,
  { organizationId }: Principal,
  patchSetId: string,
): Promise<PatchDetail> {
  const patch = await deps.patchSets.find(organizationId, patchSetId);
  const task = patch && (await deps.tasks.find(patch));
  if (patch === null || task === null) throw patchNotFound(patchSetId);
  return {
    ...summaryOf(patch),
    projectId: task.projectId,
    expiresAtMs: expiryOf(patch, task),
    validation: patch.validation,
    faults: patch.faults,
    set: await shownSet(deps.artifacts, patch),
    links: addsSecret(patch) ? null : linksOf(patch),
  };
}

/** A patch set that may be shown whole, with its task. Errors: `patch_not_found`; `forbidden` when it is withheld. */
export async function findShownSet(
  deps: ReadPatchDeps,
  { organizationId }: Principal,
  patchSetId: string,
): Promise<{ patch: PatchSetRecord; task: Task; set: PatchSet }> {
  const patch = await deps.patchSets.find(organizationId, patchSetId);
  const task = patch && (await deps.tasks.find(patch));
  if (patch === null || task === null) throw patchNotFound(patchSetId);
  if (addsSecret(patch))
    throw new SwitchyardError(
      "forbidden",
      "The patch adds a secret and is shown to nobody. Its faults say where the secret stands.",
    );
  const read = await readSet(deps.artifacts, patch);
  if (read.kind === "parsed") return { patch, task, set: read.set };
  throw notApplicable("The set is not well-formed", read.faults);
}

export const notApplicable = (what: string, faults: readonly PatchFault[]): SwitchyardError =>
  new SwitchyardError(
    "patch_not_applicable",
    `${what}: ${faults
      .slice(0, 5)
      .map(({ file, message, code }) => `${file ?? "the set"}: ${message} (${code})`)
      .join("; ")}.`,
  );

const summaryOf = (patch: PatchSetRecord): PatchSummary => ({
  id: patch.id,
  taskId: patch.taskId,
  status: patch.status,
  contentKey: patch.contentKey,
  baseCommit: patch.baseCommit,
  ontoCommit: patch.ontoCommit,
  treeId: patch.treeId,
  files: patch.files,
  operations: patch.operations,
  approvalReasons: patch.approvalReasons,
  approvedBy: patch.approvedBy,
  commit: patch.status === "delivered" ? patch.commitSha : null,
});

/** They are made of files of the repository, which this view does not wait for. */
const linksOf = ({ id }: PatchSetRecord): PatchDetail["links"] => ({
  diff: `/api/v1/patches/${id}/diff`,
  files: `/api/v1/patches/${id}/files`,
});

const expiryOf = ({ status }: PatchSetRecord, { waiting }: Task): number | null =>
  status === "awaiting_approval" ? (waiting?.expiresAtMs ?? null) : null;

async function shownSet(artifacts: Artifacts, patch: PatchSetRecord): Promise<PatchDetail["set"]> {
  if (addsSecret(patch)) return null;
  const read = await readSet(artifacts, patch);
  return read.kind === "parsed" ? read.set : null;
}
