import type { fileModes } from "../contracts/aiPatch.ts";

export type FileMode = (typeof fileModes)[number];

/** A file as a git tree holds it. For a symlink the bytes are its target. */
export type TreeFile = { bytes: Uint8Array; mode: FileMode };

/** Answers undefined for a path that holds no file; a directory is no file. */
export type ReadFile = (path: string) => Promise<TreeFile | undefined> | TreeFile | undefined;
