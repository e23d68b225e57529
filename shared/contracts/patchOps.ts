import { z } from "zod";
import type { Result } from "../result.ts";
import { type PatchDetail, type PatchSummary, revertPatchSchema } from "./patch.ts";
import { checkPatchSchema, type PatchCheck, type PatchFiles } from "./patchViews.ts";
import { idempotencyKeySchema, type TaskView } from "./task.ts";

/** Which patch sets, newest first. `before` is the `next` of the page before; an unknown `status` is refused. */
export const listPatchesSchema = z.strictObject({
  status: z.string().max(40).optional(),
  before: z.string().max(100).optional(),
  limit: z.int().min(1).max(200).default(50),
});

/**
 * Patch sets, for factories over a service binding. Every answer is a Result; nothing is thrown. Approving and
 * rejecting are not here, since only a person decides.
 */
export type PatchOpsContract = {
  listPatches(
    filter?: z.input<typeof listPatchesSchema>,
  ): Promise<Result<{ patches: PatchSummary[]; next: string | null }>>;
  getPatch(patchSetId: string): Promise<Result<PatchDetail>>;
  /** What the set makes of its base, as bytes of a diff that git apply takes. */
  diffOfPatch(patchSetId: string): Promise<Result<Uint8Array>>;
  filesOfPatch(patchSetId: string): Promise<Result<PatchFiles>>;
  /** Whether it would apply to the head of a ref now; nothing is moved or written. */
  checkPatch(
    patchSetId: string,
    at?: z.input<typeof checkPatchSchema>,
  ): Promise<Result<PatchCheck>>;
  /** The task that takes a delivered patch set back; the same key and request give the first answer again. */
  revertPatch(
    patchSetId: string,
    request: z.input<typeof revertPatchSchema>,
    key?: string,
  ): Promise<Result<TaskView>>;
};

const patchSetId = z.string().min(1).max(100);

/** The arguments as they are checked at the edge; those of `listPatches` there, with the states that there are. */
export const patchOpsArguments = {
  getPatch: z.tuple([patchSetId]),
  diffOfPatch: z.tuple([patchSetId]),
  filesOfPatch: z.tuple([patchSetId]),
  checkPatch: z.tuple([patchSetId, checkPatchSchema.optional()]),
  revertPatch: z.tuple([patchSetId, revertPatchSchema, idempotencyKeySchema.optional()]),
};
