import { z } from "zod";
import { patchFaultSchema, patchSetSchema } from "./aiPatch.ts";
import { validationReportSchema } from "./runner.ts";

/** Why a person has to look at a patch set before it is delivered. */
export const approvalCodes = ["protected_path", "too_large", "large_share", "binary_file"] as const;

export const approvalReasonSchema = z
  .strictObject({
    code: z.enum(approvalCodes),
    file: z.string().nullable().meta({ description: "Null when it is of the set as a whole." }),
    message: z.string(),
  })
  .meta({ id: "ApprovalReason" });
export type ApprovalReason = z.infer<typeof approvalReasonSchema>;

export const patchSummarySchema = z
  .strictObject({
    id: z.string(),
    taskId: z.string(),
    status: z.string(),
    contentKey: z.string().meta({ description: "SHA-256 of the set's base, files and patches." }),
    baseCommit: z.string(),
    ontoCommit: z.string().nullable().meta({
      description:
        "What the order's branch had gone on to when the patch was to be delivered: it was brought onto that commit. Null = its branch has not moved.",
    }),
    treeId: z.string().nullable().meta({
      description: "The git tree that it makes, hence every file after it; null until it is made.",
    }),
    files: z.int(),
    operations: z.int(),
    approvalReasons: z.array(approvalReasonSchema).nullable().meta({
      description: "Why a person was asked; null = nobody was.",
    }),
    approvedBy: z.string().nullable(),
    commit: z.string().nullable(),
  })
  .meta({ id: "PatchSummary" });
export type PatchSummary = z.infer<typeof patchSummarySchema>;

export const patchDetailSchema = patchSummarySchema
  .extend({
    projectId: z.string(),
    expiresAtMs: z.int().nullable().meta({
      description: "Until when it can be approved; null when it does not wait for that.",
    }),
    validation: validationReportSchema.nullable(),
    faults: z.array(patchFaultSchema),
    set: patchSetSchema.nullable().meta({
      description: "Null when it is withheld, because it adds a secret.",
    }),
    links: z.strictObject({ diff: z.string(), files: z.string() }).nullable().meta({
      description:
        "Where the unified diff of it is, and every file before and after. Null when it is withheld.",
    }),
  })
  .meta({ id: "PatchDetail" });
export type PatchDetail = z.infer<typeof patchDetailSchema>;

const reason = z.string().trim().min(1).max(2000);

/** What the approver has seen: it is compared with what is there, and the approval holds for nothing else. */
export const approvePatchSchema = z
  .strictObject({
    reason,
    contentKey: z.string().regex(/^[0-9a-f]{64}$/),
    treeId: z.string().regex(/^[0-9a-f]{40}$/),
  })
  .meta({ id: "ApprovePatch" });
export type ApprovePatch = z.infer<typeof approvePatchSchema>;

export const revertPatchSchema = z.strictObject({ reason }).meta({ id: "RevertPatch" });
export type RevertPatch = z.infer<typeof revertPatchSchema>;

export const rejectPatchSchema = z.strictObject({ reason }).meta({ id: "RejectPatch" });
export type RejectPatch = z.infer<typeof rejectPatchSchema>;
