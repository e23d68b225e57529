import { z } from "zod";
import { fileModes, patchFaultSchema } from "./aiPatch.ts";

const content = z
  .union([z.strictObject({ text: z.string() }), z.strictObject({ base64: z.string() })])
  .meta({ description: "Text where the bytes are UTF-8, else base64." });

const side = z
  .strictObject({ mode: z.enum(fileModes), content })
  .nullable()
  .meta({ description: "Null: there is no such file on that side." });

const ontoCommit = z.string().nullable();

/** The largest diff, in bytes, that is in the JSON answer as well. */
export const maxInlineDiffBytes = 256 * 1024;

export const patchFilesSchema = z
  .strictObject({
    baseCommit: z.string(),
    ontoCommit: ontoCommit.meta({
      description:
        "The files and the diff are against this commit, which the order's branch had gone on to; null: against the base.",
    }),
    files: z.array(
      z.strictObject({
        path: z.string(),
        from: z
          .strictObject({ path: z.string(), kind: z.enum(["rename", "copy"]) })
          .nullable()
          .meta({ description: "Where a renamed or copied file comes from." }),
        before: side,
        after: side,
      }),
    ),
    diff: z
      .string()
      .nullable()
      .meta({
        description: `The unified diff; null when it is no UTF-8 or has more than ${maxInlineDiffBytes / 1024} KB, see …/diff.`,
      }),
  })
  .meta({ id: "PatchFiles" });
export type PatchFiles = z.infer<typeof patchFilesSchema>;

export const checkPatchSchema = z
  .strictObject({
    ref: z.string().min(1).max(220).optional().meta({
      description:
        "A branch, or a full ref name. Default: the order's branch, and where that is not there, the branch that the task starts from.",
    }),
  })
  .meta({ id: "CheckPatch" });
export type CheckPatch = z.infer<typeof checkPatchSchema>;

const span = z.strictObject({ start: z.int(), lines: z.int() });
const at = {
  ref: z.string(),
  commit: z.string().meta({ description: "The head of the ref." }),
  ontoCommit: ontoCommit.meta({
    description: "What the patch was brought onto for its delivery, as its branch had moved.",
  }),
};

export const patchCheckSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("applies"),
      ...at,
      files: z.array(z.strictObject({ path: z.string(), deleted: z.boolean() })).meta({
        description: "The files that it would change.",
      }),
      shifts: z.array(z.strictObject({ index: z.int(), file: z.string(), lines: z.int() })).meta({
        description: "Patches that would be placed by their guard, and by how many lines below.",
      }),
      merged: z.array(z.string()).meta({
        description: "Files that changed since and would be merged by lines.",
      }),
    }),
    z.strictObject({ kind: z.literal("already_applied"), ...at }),
    z.strictObject({
      kind: z.literal("refused"),
      ...at,
      faults: z.array(patchFaultSchema),
      conflicts: z.array(
        z.strictObject({
          file: z.string(),
          hunks: z.array(z.strictObject({ base: span, ours: span, theirs: span })),
        }),
      ),
    }),
  ])
  .meta({ id: "PatchCheck" });
export type PatchCheck = z.infer<typeof patchCheckSchema>;
