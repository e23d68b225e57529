import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { PatchReport, PatchRunRequest } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { treeOf } from "../git/ancestry.ts";
import { createBaseRepository } from "../git/baseRepository.ts";
import { resolveSource, type SourceAccess } from "../git/localSource.ts";
import type { RunMarkers } from "../processes/environment.ts";
import { endLeftovers } from "../processes/leftovers.ts";
import type { Redactor } from "../redact.ts";
import { faultOf } from "../runs/fault.ts";
import type { LiveRun } from "../runs/liveRun.ts";
import { createRecorder, type Recorder } from "../runs/recorder.ts";
import { removeTree } from "../state/removeTree.ts";
import { applySet } from "./applySet.ts";
import { countChanges } from "./countChanges.ts";
import { refusalOf } from "./refusal.ts";
import { targetOf } from "./target.ts";
import { validateTree } from "./validate.ts";

export type PatchRun = {
  live: LiveRun;
  request: PatchRunRequest;
  sources: SourceAccess;
  redactor: Redactor;
  markers: RunMarkers;
  /** Thrown away when the run is over. */
  scratch: string;
  /** Called once the tree exists, before anything is validated. */
  onApplied(): void;
};

/** The objects of the applied tree, kept for the delivery. */
export const patchRepository = (folder: string): string => join(folder, "base.git");

/** Where the tree is made and tried. `work` is where other users may go. */
export const patchScratch = (folder: string, work: string | null): string =>
  work === null ? join(folder, "scratch") : join(work, basename(folder));

/** Applies one set and validates what it makes. Whatever goes wrong on the way is part of the report. */
export async function runPatch(run: PatchRun): Promise<PatchReport> {
  const { live, redactor, markers } = run;
  const recorder = createRecorder(live.log, redactor);
  const report = await attempt(run, recorder);
  const leftover = await endLeftovers(markers).catch((error: unknown) => error);
  await removeTree(run.scratch).catch(() => {});
  const by = live.stopSwitch.seal();
  if (by !== null) await recorder.record({ type: "interrupted", reason: by }).catch(() => {});
  if (leftover !== undefined) return { kind: "fault", ...faultOf(leftover, redactor) };
  return by === null ? report : { kind: "stopped", by };
}

async function attempt(run: PatchRun, recorder: Recorder): Promise<PatchReport> {
  try {
    return await work(run, recorder);
  } catch (error) {
    return { kind: "fault", ...faultOf(error, run.redactor) };
  }
}

async function work(run: PatchRun, recorder: Recorder): Promise<PatchReport> {
  const { live, request, markers, redactor } = run;
  const { signal } = live.stopSwitch;
  await endLeftovers(markers);
  const source = await resolveSource({ ...request.source, commit: baseOf(request) }, run.sources);
  const base = await createBaseRepository(patchRepository(live.folder), source);
  const { scratch } = run;
  await mkdir(scratch, { recursive: true, mode: 0o711 });
  const { set, expectedTreeId, onto } = request;
  const allowProtected = request.approved?.protectedPaths ?? false;
  const target = await targetOf(base, source.commit, onto);
  if (target.kind === "refused") return target;
  const to = { ...target, base, allowProtected, scratch, markers, signal };
  const applied = await applySet({ set, ...to });
  if (applied.kind === "refused") return refusalOf(applied, redactor);
  if (applied.kind !== "applied") return redactor.json(applied);
  const { treeId, files } = applied;
  if (expectedTreeId !== null && expectedTreeId !== treeId)
    return {
      kind: "engine_mismatch",
      message: `The run ended with the tree ${expectedTreeId}, the set makes ${treeId}.`,
    };
  await recorder.record({ type: "patch_applied", treeId, files });
  run.onApplied();
  const parent = onto ?? source.commit;
  const changes = redactor.json(await countChanges(base, parent, treeId));
  const { commands } = request.validation;
  const watch = { recorder, redactor, stopSwitch: live.stopSwitch };
  const place = { folder: live.folder, scratch, markers };
  const validation = await validateTree({ base, treeId }, commands, place, watch);
  const said = { kind: "applied", treeId, baseCommit: source.commit, validation, changes } as const;
  if (onto === undefined) return said;
  return { ...said, alreadyApplied: treeId === (await treeOf(base, onto)) };
}

/** The commit that the set was made against; a source that names another one is a mistake of the caller. */
function baseOf({ set, source }: PatchRunRequest): string {
  const commit = set.base.commit ?? source.commit;
  if (commit === undefined)
    throw new SwitchyardError("invalid_request", "The set names no base commit.");
  if (source.commit !== undefined && source.commit !== commit)
    throw new SwitchyardError(
      "invalid_request",
      `The set is against ${commit}, the source names ${source.commit}.`,
    );
  return commit;
}
