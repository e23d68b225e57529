import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { decodeBase64 } from "./base64.ts";
import { type IndexedPatch, patchFault } from "./faults.ts";

export type DecodedBlock =
  | { kind: "decoded"; bytes: Uint8Array }
  | { kind: "refused"; fault: PatchFault };

/** The bytes of a block, if it is one that the mode can hold. */
export function decodeBlock(
  item: IndexedPatch,
  mode: PatchSet["mode"],
  encode: (text: string) => Uint8Array,
): DecodedBlock {
  const { patch } = item;
  const isBase64 = patch.block_encoding === "base64";
  if (isBase64 && mode === "lines")
    return refused(item, "unexpected_field", "block_encoding base64 needs mode exact");
  if (!patch.block.isWellFormed())
    return refused(item, "ill_formed_text", "block holds half a surrogate pair");
  const bytes = isBase64 ? decodeBase64(patch.block) : encode(patch.block);
  if (bytes === null) return refused(item, "ill_formed_text", "block is not base64");
  if (bytes.length === 0 && patch.operation !== "replace-block")
    return refused(item, "empty_insert", `${patch.operation} needs a block`);
  if (isBase64 ? bytes.includes(0) : patch.block.includes("\0"))
    return refused(item, "nul_in_block", "block holds a NUL");
  const lineFault = mode === "lines" ? unfitForLines(patch.block) : null;
  return lineFault === null
    ? { kind: "decoded", bytes }
    : refused(item, "ill_formed_text", lineFault);
}

function refused(item: IndexedPatch, code: PatchFault["code"], message: string): DecodedBlock {
  return { kind: "refused", fault: patchFault(item, code, message) };
}

/** What a list of lines cannot say: it would be read back as something else. */
function unfitForLines(block: string): string | null {
  if (block.startsWith("\ufeff"))
    return "block begins with a byte order mark, which belongs to the file";
  if (block.endsWith("\r") || block.includes("\r\r\n"))
    return "block has a line that ends in a lone carriage return";
  return null;
}

export function expectFault(item: IndexedPatch): PatchFault | null {
  const { block = "", before = "", after = "" } = item.patch.expect ?? {};
  if (block.isWellFormed() && before.isWellFormed() && after.isWellFormed()) return null;
  return patchFault(item, "ill_formed_text", "expect holds half a surrogate pair");
}
