import { z } from "zod";

/**
 * The patch format `aipatch/1` on the wire. The semantics are in docs/patch-format.md; the engine in
 * shared/patch/ gives every fault of a set a code, these schemas only say what a well-formed set looks like.
 */
export const patchOperations = [
  "replace-block",
  "insert-before",
  "insert-after",
  "append",
] as const;
export const fileOperations = ["edit", "create", "delete", "rename", "copy", "replace"] as const;
export const fileModes = ["100644", "100755", "120000"] as const;
export const finalNewlines = ["preserve", "present", "absent"] as const;

export const aiPatchSchema = z
  .strictObject({
    task_id: z.string(),
    file: z.string(),
    operation: z.enum(patchOperations),
    start: z.int().optional(),
    end: z.int().optional(),
    line: z.int().optional(),
    block: z.string(),
    metadata: z.strictObject({
      provider: z.string(),
      confidence: z.number().min(0).max(1).optional(),
      model: z.string().optional(),
    }),
    block_encoding: z.enum(["utf-8", "base64"]).optional(),
    expect: z
      .strictObject({
        block: z.string().optional(),
        before: z.string().optional(),
        after: z.string().optional(),
      })
      .optional(),
  })
  .meta({ id: "AIPatch" });

const sha1Hex = z.string().regex(/^[0-9a-f]{40}$/);
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

export const patchFileSchema = z.strictObject({
  op: z.enum(fileOperations),
  /** What must be there before: the git blob id, the SHA-256 of the bytes, the mode; or nothing at all. */
  pre: z
    .union([
      z.literal("absent"),
      z.strictObject({
        blob: sha1Hex.optional(),
        sha256: sha256Hex.optional(),
        mode: z.enum(fileModes).optional(),
      }),
    ])
    .optional(),
  post: z.strictObject({ sha256: sha256Hex.optional() }).optional(),
  from: z.string().optional(),
  mode: z.enum(fileModes).optional(),
  eof: z.enum(finalNewlines).optional(),
  content: z
    .union([
      z.strictObject({ text: z.string() }),
      z.strictObject({ base64: z.string() }),
      z.strictObject({ r2: z.string() }),
    ])
    .optional(),
});

export const patchSetSchema = z
  .strictObject({
    schema: z.literal("aipatch/1"),
    id: z.string(),
    task_id: z.string(),
    execution_id: z.string().optional(),
    mode: z.enum(["lines", "exact"]),
    coordinates: z.enum(["snapshot", "sequential"]),
    base: z.strictObject({
      repo: z.string().optional(),
      ref: z.string().optional(),
      commit: z.string().optional(),
    }),
    files: z.record(z.string(), patchFileSchema),
    patches: z.array(aiPatchSchema),
  })
  .meta({ id: "PatchSet" });

export const patchFaultCodes = [
  "unknown_operation",
  "missing_field",
  "unexpected_field",
  "not_an_integer",
  "out_of_range",
  "overlap",
  "insert_inside_replace",
  "duplicate_patch",
  "empty_insert",
  "nul_in_block",
  "ill_formed_text",
  "binary_file",
  "encoding_mismatch",
  "unterminated_block",
  "append_after_unterminated_line",
  "schema_unsupported",
  "bad_path",
  "protected_path",
  "path_not_allowed",
  "missing_file",
  "file_exists",
  "stale",
  "ambiguous",
  "conflict",
  "unguarded",
  "too_large",
  "secret_found",
  "already_applied",
] as const;

/** One fault of a refused set. `index` counts in `patches`; null when the fault is of a file or of the whole set. */
export const patchFaultSchema = z
  .object({
    index: z.int().nullable(),
    file: z.string().nullable(),
    code: z.enum(patchFaultCodes),
    message: z.string(),
  })
  .meta({ id: "PatchFault" });

export type AIPatch = z.infer<typeof aiPatchSchema>;
export type PatchFile = z.infer<typeof patchFileSchema>;
export type PatchSet = z.infer<typeof patchSetSchema>;
export type PatchFaultCode = (typeof patchFaultCodes)[number];
export type PatchFault = z.infer<typeof patchFaultSchema>;
