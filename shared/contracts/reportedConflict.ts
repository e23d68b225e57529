import { z } from "zod";

const lineSpanSchema = z.object({ start: z.int().min(0), lines: z.int().min(0) });

/** A file that could not be merged. `marked`: its conflicts as git marks them, redacted; null where nothing is shown. */
export const reportedConflictSchema = z.object({
  file: z.string(),
  hunks: z.array(z.object({ base: lineSpanSchema, ours: lineSpanSchema, theirs: lineSpanSchema })),
  marked: z.string().nullable(),
});
export type ReportedConflict = z.infer<typeof reportedConflictSchema>;
