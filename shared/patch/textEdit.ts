import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import type { Piece } from "./assemble.ts";
import type { PreparedPatch } from "./check.ts";
import type { FileKnowledge } from "./placement.ts";

/** The patches of one file and what they are applied to. */
export type TextEdit = {
  path: string;
  bytes: Uint8Array;
  patches: readonly PreparedPatch[];
  mode: PatchSet["mode"];
  coordinates: PatchSet["coordinates"];
  eof: "preserve" | "present" | "absent";
  knowledge: FileKnowledge;
  /** False when some patch of the file is not here: then the outcome as a whole cannot be judged. */
  isComplete: boolean;
};

/** By how many lines a patch stands below the place it names, because the file changed above it. */
export type PatchShift = { index: number; file: string; lines: number };

/** The outcome of a file in pieces; with faults, the pieces are without meaning. */
export type Rebuilt = {
  pieces: Piece[];
  faults: PatchFault[];
  shifts: PatchShift[];
  removedLines: number;
};
