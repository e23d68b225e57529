import type { PatchSet } from "../contracts/aiPatch.ts";
import { encodeText } from "./bytes.ts";
import { canonicalJson } from "./canonical.ts";
import { sha256Hex } from "./hashes.ts";

/** What a set is, without its ids: the SHA-256 of the canonical JSON of base, files and patches. */
export function contentKey({ base, files, patches }: PatchSet): Promise<string> {
  return sha256Hex(encodeText(canonicalJson({ base, files, patches })));
}
