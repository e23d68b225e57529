import type { PatchFault } from "../contracts/aiPatch.ts";
import { setFault } from "./faults.ts";
import { limitsOf, type PatchPolicy } from "./policy.ts";
import { isRecord } from "./shape.ts";

/**
 * Text has at least as many bytes as UTF-16 units, so a set far too large is refused before anything in it is read.
 * Null says nothing: the bytes are counted later.
 */
export function oversizeFault(input: unknown, policy: PatchPolicy): PatchFault | null {
  if (!isRecord(input)) return null;
  const { patchBytes } = limitsOf(policy);
  const least = leastOfPatches(input.patches) + leastOfFiles(input.files);
  return least > patchBytes ? setFault("too_large", `more than ${patchBytes} bytes`) : null;
}

function leastOfPatches(patches: unknown): number {
  let least = 0;
  for (const patch of Array.isArray(patches) ? patches : [])
    if (isRecord(patch)) least += leastBytes(patch.block, patch.block_encoding === "base64");
  return least;
}

function leastOfFiles(files: unknown): number {
  let least = 0;
  for (const file of isRecord(files) ? Object.values(files) : [])
    if (isRecord(file) && isRecord(file.content))
      least += leastBytes(file.content.text, false) + leastBytes(file.content.base64, true);
  return least;
}

function leastBytes(text: unknown, isBase64: boolean): number {
  if (typeof text !== "string") return 0;
  return isBase64 ? Math.max(0, Math.floor(text.length / 4) * 3 - 2) : text.length;
}
