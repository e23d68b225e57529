import { z } from "zod";
import { commitIdSchema, sourceSchema } from "./source.ts";

/** Whether a commit of a local repository is another one, or goes on from it. */
export const goesOnRequestSchema = z.strictObject({
  source: sourceSchema,
  commit: commitIdSchema,
  from: commitIdSchema,
});
export const goesOnAnswerSchema = z.object({ goesOn: z.boolean() });
