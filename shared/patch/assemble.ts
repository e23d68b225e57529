import type { PatchFault } from "../contracts/aiPatch.ts";
import { byteOrderMark, copyBytes, lineFeed, startsWith } from "./bytes.ts";
import type { PreparedPatch } from "./check.ts";
import { endingForLastLine, endingOf } from "./endings.ts";
import { patchFault } from "./faults.ts";
import type { LineTable } from "./lineTable.ts";

/**
 * Whole lines of the outcome: the bytes from `from` up to, without, `to`, never none. `patch` is where they come from,
 * null for lines of the file itself.
 */
export type Piece = { bytes: Uint8Array; from: number; to: number; patch: PreparedPatch | null };

export function pieceOf(bytes: Uint8Array, patch: PreparedPatch | null): Piece {
  return { bytes, from: 0, to: bytes.length, patch };
}

/** The bytes of all pieces, one after the other. */
export function joinPieces(pieces: readonly Piece[]): Uint8Array {
  let length = 0;
  for (const { from, to } of pieces) length += to - from;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const { bytes, from, to } of pieces) {
    copyBytes(bytes, from, to, whole, at);
    at += to - from;
  }
  return whole;
}

/**
 * The faults of a literal outcome: a line that does not end, and is not the last.
 * Only the last line of a file can be such a line of its own, so what follows it is inserted.
 */
export function literalFaults(pieces: readonly Piece[]): PatchFault[] {
  const faults: PatchFault[] = [];
  let left = pieces.length;
  let followsOpenLine = false;
  for (const piece of pieces) {
    const { patch } = piece;
    if (followsOpenLine && patch !== null) faults.push(appendedToOpenLine(patch));
    if (--left === 0 || hasEnding(piece)) continue;
    if (patch === null) followsOpenLine = true;
    else faults.push(unterminated(patch));
  }
  return faults;
}

function hasEnding({ bytes, to }: Piece): boolean {
  return bytes[to - 1] === lineFeed;
}

function appendedToOpenLine(patch: PreparedPatch): PatchFault {
  const message = "the last line of the file has no ending";
  return patchFault(patch, "append_after_unterminated_line", message);
}

function unterminated(patch: PreparedPatch): PatchFault {
  const message = "block has no final newline and does not end the file";
  return patchFault(patch, "unterminated_block", message);
}

/** The outcome in mode `lines`: every line but the last has an ending, and `eof` decides about the last. */
export function joinLines(
  pieces: readonly Piece[],
  table: LineTable,
  eof: "preserve" | "present" | "absent",
  majority: () => Uint8Array,
): Uint8Array {
  const parts: Piece[] = startsWith(table.bytes, byteOrderMark)
    ? [pieceOf(byteOrderMark, null)]
    : [];
  let left = pieces.length;
  for (const piece of pieces) {
    const isLast = --left === 0;
    const wantsEnding = !isLast || endsWithNewline(piece, table, eof);
    parts.push(wantsEnding ? piece : withoutLastEnding(piece));
    if (wantsEnding && !hasEnding(piece))
      parts.push(pieceOf(endingForLastLine(table, majority), null));
  }
  return joinPieces(parts);
}

/** A file of no lines has no final newline to preserve: it ends as the block that becomes its last line. */
function endsWithNewline(
  last: Piece,
  { bytes, count }: LineTable,
  eof: "preserve" | "present" | "absent",
): boolean {
  if (eof !== "preserve") return eof === "present";
  if (count > 0) return bytes[bytes.length - 1] === lineFeed;
  return last.patch !== null && last.patch.block[last.patch.block.length - 1] === lineFeed;
}

function withoutLastEnding(piece: Piece): Piece {
  const { bytes, from, to, patch } = piece;
  const ending = endingOf(bytes.subarray(from, to));
  return ending === null ? piece : { bytes, from, to: to - ending.length, patch };
}
