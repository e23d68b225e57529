import { z } from "zod";
import { commitIdSchema, sourceSchema } from "./source.ts";

/** What the forge of local repositories is asked about refs and commits: `POST /forge/…` of a runner, see runner.ts. */

export const readRefRequestSchema = z.strictObject({ source: sourceSchema, ref: z.string() });
export const readRefAnswerSchema = z.object({ commit: z.string().nullable() });

/** The same request makes the same commit: its time and author are part of it. */
export const commitRequestSchema = z.strictObject({
  source: sourceSchema,
  /** The patch run whose objects hold the tree. */
  patchSetId: z.string(),
  treeId: z.string(),
  parent: commitIdSchema,
  message: z.string().min(1).max(20_000),
  author: z.strictObject({ name: z.string(), email: z.string() }),
  /** Milliseconds UTC. */
  atMs: z.int().min(0),
});
export type CommitRequest = z.infer<typeof commitRequestSchema>;
export const commitAnswerSchema = z.object({ commit: commitIdSchema });

export const moveRefRequestSchema = z.strictObject({
  source: sourceSchema,
  ref: z.string(),
  /** What the ref must be at; null = it must not exist. */
  from: commitIdSchema.nullable(),
  to: commitIdSchema,
});
export const moveRefAnswerSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("moved") }),
  z.object({
    kind: z.literal("lost"),
    current: z.string().nullable(),
    /** Whether what the ref is at goes on from `to`: then an earlier call had moved it. */
    contains: z.boolean().optional(),
  }),
]);
export type MoveRefAnswer = z.infer<typeof moveRefAnswerSchema>;

export const goesOnRequestSchema = z.strictObject({
  source: sourceSchema,
  commit: commitIdSchema,
  from: commitIdSchema,
});
export const goesOnAnswerSchema = z.object({ goesOn: z.boolean() });
