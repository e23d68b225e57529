import type { PatchFault } from "../contracts/aiPatch.ts";
import { byteOrderMark, concatBytes, endsWithLineFeed, startsWith } from "./bytes.ts";
import type { PreparedPatch } from "./check.ts";
import { endingForLastLine, endingOf } from "./endings.ts";
import { patchFault } from "./faults.ts";
import type { LineTable } from "./lines.ts";

/** Whole lines of the outcome; `patch` is where they come from, null for lines of the file itself. */
export type Piece = { bytes: Uint8Array; patch: PreparedPatch | null };

/**
 * The faults of a literal outcome: a line that does not end, and is not the last.
 * Only the last line of a file can be such a line of its own, so what follows it is inserted.
 */
export function literalFaults(pieces: readonly Piece[]): PatchFault[] {
  const faults: PatchFault[] = [];
  let followsOpenLine = false;
  pieces.forEach(({ bytes, patch }, at) => {
    if (followsOpenLine && patch !== null)
      faults.push(
        patchFault(
          patch,
          "append_after_unterminated_line",
          "the last line of the file has no ending",
        ),
      );
    if (endsWithLineFeed(bytes) || at === pieces.length - 1) return;
    if (patch === null) followsOpenLine = true;
    else
      faults.push(
        patchFault(
          patch,
          "unterminated_block",
          "block has no final newline and does not end the file",
        ),
      );
  });
  return faults;
}

/** The outcome in mode `lines`: every line but the last has an ending, and `eof` decides about the last. */
export function joinLines(
  pieces: readonly Piece[],
  table: LineTable,
  eof: "preserve" | "present" | "absent",
  majority: () => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = startsWith(table.bytes, byteOrderMark) ? [byteOrderMark] : [];
  pieces.forEach(({ bytes }, at) => {
    const isLast = at === pieces.length - 1;
    const hasEnding = endsWithLineFeed(bytes);
    const wantsEnding = !isLast || endsWithNewline(pieces, table, eof);
    if (hasEnding && !wantsEnding) parts.push(withoutLastEnding(bytes));
    else parts.push(bytes);
    if (!hasEnding && wantsEnding) parts.push(endingForLastLine(table, majority));
  });
  return concatBytes(parts);
}

/** A file of no lines has no final newline to preserve: it ends as the block that becomes its last line. */
function endsWithNewline(
  pieces: readonly Piece[],
  table: LineTable,
  eof: "preserve" | "present" | "absent",
): boolean {
  if (eof !== "preserve") return eof === "present";
  if (table.count > 0) return endsWithLineFeed(table.bytes);
  const last = pieces.at(-1);
  return last?.patch !== null && last !== undefined && endsWithLineFeed(last.patch.block);
}

function withoutLastEnding(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - (endingOf(bytes)?.length ?? 0));
}
