import type { DiffHunk } from "../hunkReader.ts";
import type { BinaryChange } from "./binaryPatch.ts";

/** What a diff says of one file. */
export type FileDiff = {
  op: "modify" | "create" | "delete" | "rename" | "copy";
  /** Null: there is no file on that side. */
  oldPath: string | null;
  newPath: string | null;
  /** Six octal digits; null where the diff does not say. */
  oldMode: string | null;
  newMode: string | null;
  /** Ids of git blobs as they stand there, often cut short. */
  oldBlob: string | null;
  newBlob: string | null;
  hunks: DiffHunk[];
  addedLines: number;
  removedLines: number;
  /** `data` is null when the diff says only that the files differ. */
  binary: { data: BinaryChange | null } | null;
};

/** A diff while it is read: names are not yet text, and what is not said yet may follow. */
export type DiffHeader = {
  oldName: string | null;
  newName: string | null;
  isNew: boolean;
  isDeleted: boolean;
  isRename: boolean;
  isCopy: boolean;
  oldMode: string | null;
  newMode: string | null;
  oldBlob: string | null;
  newBlob: string | null;
};

export const emptyHeader: DiffHeader = {
  oldName: null,
  newName: null,
  isNew: false,
  isDeleted: false,
  isRename: false,
  isCopy: false,
  oldMode: null,
  newMode: null,
  oldBlob: null,
  newBlob: null,
};
