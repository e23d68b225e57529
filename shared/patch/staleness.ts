import type { PatchFile, PatchSet } from "../contracts/aiPatch.ts";
import type { ReviewedFile } from "./check.ts";
import { hasGuard } from "./guards.ts";
import { gitBlobId, sha256Hex } from "./hashes.ts";
import type { FileKnowledge } from "./placement.ts";
import type { PatchPolicy } from "./policy.ts";
import type { ShapeFault } from "./shape.ts";
import type { Soon } from "./soon.ts";
import type { TreeFile } from "./treeFile.ts";

/** What is known of the file that an entry starts from, by `pre` and, without it, by the caller's word. */
export function knowledgeOf(
  { op, pre }: PatchFile,
  file: TreeFile | undefined,
  policy: PatchPolicy,
): Soon<FileKnowledge> {
  if (op === "create" || file === undefined) return "base";
  const unsaid = policy.baseIsHead ? "head" : "unknown";
  if (typeof pre !== "object") return unsaid;
  if ((pre.mode ?? file.mode) !== file.mode) return "changed";
  return pre.sha256 === undefined && pre.blob === undefined ? unsaid : byHash(pre, file.bytes);
}

async function byHash(
  { sha256, blob }: { sha256?: string | undefined; blob?: string | undefined },
  bytes: Uint8Array,
): Promise<FileKnowledge> {
  const isSame = (await agrees(sha256, bytes, sha256Hex)) && (await agrees(blob, bytes, gitBlobId));
  return isSame ? "base" : "changed";
}

async function agrees(
  expected: string | undefined,
  bytes: Uint8Array,
  hash: (bytes: Uint8Array) => Promise<string>,
): Promise<boolean> {
  return expected === undefined || expected === (await hash(bytes));
}

/**
 * Why the entry as a whole cannot be trusted to a file that is not known to be its base; null when it can, or when
 * each of its patches has to answer for itself by its own guard.
 */
export function entryStaleness(
  { file, prepared, patches }: ReviewedFile,
  set: Pick<PatchSet, "mode" | "coordinates">,
  actual: TreeFile,
  knowledge: FileKnowledge,
): ShapeFault | null {
  if (knowledge === "base" || knowledge === "head") return null;
  const { op, mode, eof = "preserve", pre } = file;
  const editsLinesOnly = op === "edit" && mode === undefined && eof === "preserve";
  const canMove = editsLinesOnly && patches.length > 0 && set.coordinates === "snapshot";
  if (knowledge === "unknown")
    return canMove || (editsLinesOnly && patches.length === 0)
      ? null
      : { code: "unguarded", message: `${op} needs pre, or a base that is the head` };

  const sameMode = typeof pre !== "object" || pre.mode === undefined || pre.mode === actual.mode;
  const allGuarded = prepared.every(({ patch }) => hasGuard(patch));
  if (canMove && sameMode && allGuarded) return null;
  return { code: "stale", message: "the file is not the one that pre names" };
}
