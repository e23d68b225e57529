import { z } from "zod";
import { fileModes } from "./aiPatch.ts";
import { commitIdSchema, sourceSchema } from "./source.ts";

/** More than this in all, in bytes as they lie in git, is `files_too_large`. */
export const maxFilesBytes = 8 * 1024 * 1024;

/** `POST /forge/files`: what stands at some paths of a commit. */
export const readFilesRequestSchema = z.strictObject({
  source: sourceSchema,
  commit: commitIdSchema,
  paths: z.array(z.string().min(1).max(4096)).max(50_000),
});

const path = z.string();
export const forgeFileSchema = z.discriminatedUnion("kind", [
  /** A symbolic link is a file of mode 120000, whose bytes are its target. */
  z.object({ kind: z.literal("file"), path, mode: z.enum(fileModes), base64: z.string() }),
  /** `files`: how many entries lie below it, at any depth. */
  z.object({ kind: z.literal("directory"), path, files: z.int().min(1) }),
  z.object({ kind: z.literal("submodule"), path }),
  z.object({ kind: z.literal("absent"), path }),
]);
export type ForgeFile = z.infer<typeof forgeFileSchema>;

/** One for each path that was asked for. */
export const readFilesAnswerSchema = z.object({ files: z.array(forgeFileSchema) });
