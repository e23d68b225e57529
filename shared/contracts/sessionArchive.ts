import { z } from "zod";

/**
 * `session/1`: the session of an agent, redacted, on its way from one runner to another. NDJSON: the first line says
 * whose session it is, each further line holds a piece of one file in base64, and the pieces of a file follow each
 * other. It holds files and nothing else: neither links nor modes can be said in it.
 */
export const sessionFormat = "session/1";

export const sessionLimits = {
  /** Of the files together. */
  bytes: 64 * 1024 * 1024,
  files: 2_000,
  pathLength: 1_000,
  lineBytes: 512 * 1024,
  archiveBytes: 96 * 1024 * 1024,
} as const;

/** An id that is safe as the name of a folder and as a part of a key, whoever made it up. */
export const sessionIdPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const safeId = z.string().regex(sessionIdPattern);

export const sessionHeadSchema = z.strictObject({
  format: z.literal(sessionFormat),
  agent: z.string().max(60),
  id: safeId,
  /** The run in whose workspace and HOME it began. */
  executionId: safeId,
});
export type SessionHead = z.infer<typeof sessionHeadSchema>;

export const sessionPieceSchema = z.strictObject({
  /** Below HOME, with "/" between its parts. */
  path: z.string().min(1).max(sessionLimits.pathLength),
  base64: z.base64(),
});
export type SessionPiece = z.infer<typeof sessionPieceSchema>;

/** How long the stream of an archive is. */
export const sessionBytesHeader = "x-session-bytes";

/** False: the run had begun, and what it began with stays. */
export const sessionStoredSchema = z.object({ stored: z.boolean() });
