import type { PatchFault } from "../contracts/aiPatch.ts";
import { joinLines, joinPieces, literalFaults } from "./assemble.ts";
import { byteOrderMark, decodeUtf8, isBinary, startsWith } from "./bytes.ts";
import type { PreparedPatch } from "./check.ts";
import { majorityOf } from "./endings.ts";
import { fileFault, patchFault } from "./faults.ts";
import { passingLineTable } from "./lineTable.ts";
import { rebuildInTurn } from "./sequential.ts";
import { rebuildFromSnapshot } from "./snapshot.ts";
import type { PatchShift, TextEdit } from "./textEdit.ts";

export type EditedText =
  | { kind: "edited"; bytes: Uint8Array; shifts: PatchShift[]; removedLines: number }
  | { kind: "refused"; faults: PatchFault[] };

/** Applies the patches of one file to its bytes. */
export function editText(edit: TextEdit): EditedText {
  const { path, bytes, mode } = edit;
  if (isBinary(bytes))
    return refused([fileFault(path, "binary_file", "holds no lines; only replace can change it")]);
  const hasMark = mode === "lines" && startsWith(bytes, byteOrderMark);
  const table = passingLineTable(bytes, hasMark ? byteOrderMark.length : 0);
  const majority = majorityOf(table);
  const rebuilt =
    edit.coordinates === "snapshot"
      ? rebuildFromSnapshot(edit, table, majority)
      : rebuildInTurn(edit, table, majority);
  const mismatches = encodingFaults(edit);
  if (mismatches.length + rebuilt.faults.length > 0 || !edit.isComplete)
    return refused([...mismatches, ...rebuilt.faults]);

  const { pieces, shifts, removedLines } = rebuilt;
  if (mode === "lines") {
    const joined = joinLines(pieces, table, edit.eof, majority);
    return { kind: "edited", bytes: joined, shifts, removedLines };
  }
  const literal = literalFaults(pieces);
  if (literal.length > 0) return refused(literal);
  const whole = joinPieces(pieces);
  return { kind: "edited", bytes: whole, shifts, removedLines };
}

export function encodingFaults({
  bytes,
  patches,
}: Pick<TextEdit, "bytes" | "patches">): readonly PatchFault[] {
  if (!patches.some(isBeyondAscii) || decodeUtf8(bytes) !== null) return noFaults;
  const message = "block is not ASCII, and the file is not UTF-8";
  return patches
    .filter(isBeyondAscii)
    .map((item) => patchFault(item, "encoding_mismatch", message));
}

const noFaults: readonly PatchFault[] = [];

/** Text that is not ASCII has more bytes than UTF-16 units. */
function isBeyondAscii({ patch, block }: PreparedPatch): boolean {
  return block.length !== patch.block.length && patch.block_encoding !== "base64";
}

function refused(faults: PatchFault[]): EditedText {
  return { kind: "refused", faults };
}
