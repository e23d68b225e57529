import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { decodeBase64 } from "./base64.ts";
import { encodePlainly, encodeText } from "./bytes.ts";
import { type IndexedPatch, patchFault } from "./faults.ts";

/** The bytes of a block, or why it is none that the mode can hold. */
export function decodeBlock(item: IndexedPatch, mode: PatchSet["mode"]): Uint8Array | PatchFault {
  const { operation, block, block_encoding } = item.patch;
  const isText = block_encoding !== "base64" && mode === "exact";
  const isFilled = block !== "" || operation === "replace-block";
  const plain = isText && isFilled ? encodePlainly(block) : null;
  return plain ?? checkedBlock(item, mode);
}

function checkedBlock(item: IndexedPatch, mode: PatchSet["mode"]): Uint8Array | PatchFault {
  const { patch } = item;
  const isBase64 = patch.block_encoding === "base64";
  if (isBase64 && mode === "lines")
    return patchFault(item, "unexpected_field", "block_encoding base64 needs mode exact");
  if (!patch.block.isWellFormed())
    return patchFault(item, "ill_formed_text", "block holds half a surrogate pair");
  const bytes = isBase64 ? decodeBase64(patch.block) : encodeText(patch.block);
  if (bytes === null) return patchFault(item, "ill_formed_text", "block is not base64");
  if (bytes.length === 0 && patch.operation !== "replace-block")
    return patchFault(item, "empty_insert", `${patch.operation} needs a block`);
  if (isBase64 ? bytes.includes(0) : patch.block.includes("\0"))
    return patchFault(item, "nul_in_block", "block holds a NUL");
  const lineFault = mode === "lines" ? unfitForLines(patch.block) : null;
  return lineFault === null ? bytes : patchFault(item, "ill_formed_text", lineFault);
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
  const { expect } = item.patch;
  if (expect === undefined) return null;
  const { block = "", before = "", after = "" } = expect;
  if (block.isWellFormed() && before.isWellFormed() && after.isWellFormed()) return null;
  return patchFault(item, "ill_formed_text", "expect holds half a surrogate pair");
}
