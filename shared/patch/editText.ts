import type { PatchFault } from "../contracts/aiPatch.ts";
import { joinLines, literalFaults } from "./assemble.ts";
import { byteOrderMark, concatBytes, decodeUtf8, isBinary, startsWith } from "./bytes.ts";
import { majorityOf } from "./endings.ts";
import { fileFault, patchFault } from "./faults.ts";
import { lineTable } from "./lines.ts";
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
  const table = lineTable(bytes, hasMark ? byteOrderMark.length : 0);
  const majority = majorityOf(table);
  const rebuilt =
    edit.coordinates === "snapshot"
      ? rebuildFromSnapshot(edit, table, majority)
      : rebuildInTurn(edit, table, majority);
  const faults = [...encodingFaults(edit), ...rebuilt.faults];
  if (faults.length > 0 || !edit.isComplete) return refused(faults);
  const literal = mode === "exact" ? literalFaults(rebuilt.pieces) : [];
  if (literal.length > 0) return refused(literal);

  const { pieces, shifts, removedLines } = rebuilt;
  const outcome =
    mode === "exact"
      ? concatBytes(pieces.map((piece) => piece.bytes))
      : joinLines(pieces, table, edit.eof, majority);
  return { kind: "edited", bytes: outcome, shifts, removedLines };
}

export function encodingFaults({
  bytes,
  patches,
}: Pick<TextEdit, "bytes" | "patches">): PatchFault[] {
  const beyondAscii = patches.filter(
    // Text that is not ASCII has more bytes than UTF-16 units.
    ({ patch, block }) => patch.block_encoding !== "base64" && block.length !== patch.block.length,
  );
  if (beyondAscii.length === 0 || decodeUtf8(bytes) !== null) return [];
  return beyondAscii.map((item) =>
    patchFault(item, "encoding_mismatch", "block is not ASCII, and the file is not UTF-8"),
  );
}

function refused(faults: PatchFault[]): EditedText {
  return { kind: "refused", faults };
}
