import type { AIPatch, PatchSet } from "../../shared/contracts/aiPatch.ts";
import { type ApplyOutcome, applyPatchInput, type PatchPolicy } from "../../shared/patch/apply.ts";

type Positions = Partial<Pick<AIPatch, "start" | "end" | "line" | "expect" | "block_encoding">>;

export function patchOf(
  operation: AIPatch["operation"],
  block: string,
  positions: Positions = {},
  file = "f",
): AIPatch {
  return { task_id: "t", file, operation, ...positions, block, metadata: { provider: "p" } };
}

export function replaceLine(line: number, block: string, file = "f"): AIPatch {
  return patchOf("replace-block", block, { start: line, end: line }, file);
}

export function setOf(patches: PatchSet["patches"], more: Partial<PatchSet> = {}): PatchSet {
  return {
    schema: "aipatch/1",
    id: "s",
    task_id: "t",
    mode: "lines",
    coordinates: "snapshot",
    base: {},
    files: {},
    patches,
    ...more,
  };
}

export const ofHead: PatchPolicy = { baseIsHead: true };

/** Applies a set to the one file `f`. */
export function applyToFile(
  bytes: Uint8Array | string,
  set: unknown,
  policy: PatchPolicy = ofHead,
): Promise<ApplyOutcome> {
  const before = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const file = { bytes: before, mode: "100644" as const };
  return applyPatchInput(set, (path) => (path === "f" ? file : undefined), policy);
}

/** The bytes of `f` afterwards as Latin-1 text, or the codes for which the set is refused. */
export async function outcomeOf(bytes: Uint8Array | string, set: unknown, policy = ofHead) {
  const outcome = await applyToFile(bytes, set, policy);
  if (outcome.kind === "refused") return outcome.faults.map(({ code }) => code);
  if (outcome.kind === "already_applied") return outcome.kind;
  const after = outcome.files.get("f")?.bytes ?? bytes;
  return Buffer.from(after).toString("latin1");
}
