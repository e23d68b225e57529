import type { AIPatch, PatchFault, PatchFaultCode } from "../contracts/aiPatch.ts";

/** A patch with its place in the set's array, which stays its name when others drop out. */
export type IndexedPatch = { index: number; patch: AIPatch };

export function setFault(code: PatchFaultCode, message: string): PatchFault {
  return { index: null, file: null, code, message };
}

export function fileFault(file: string, code: PatchFaultCode, message: string): PatchFault {
  return { index: null, file, code, message };
}

export function patchFault(
  { index, patch }: IndexedPatch,
  code: PatchFaultCode,
  message: string,
): PatchFault {
  return { index, file: patch.file, code, message };
}

/** Faults of the set, then of files by path, then of patches by index; one per place and code. */
export function orderFaults(faults: readonly PatchFault[]): PatchFault[] {
  const merged = new Map<string, PatchFault>();
  for (const fault of [...faults].sort(byPlace)) {
    const key = JSON.stringify([fault.index, fault.file, fault.code]);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...fault });
    else if (known.message !== fault.message) known.message += `; ${fault.message}`;
  }
  return [...merged.values()];
}

function byPlace(a: PatchFault, b: PatchFault): number {
  if (a.index !== null || b.index !== null) return (a.index ?? -1) - (b.index ?? -1);
  return byCodeUnit(a.file ?? "", b.file ?? "");
}

/** The order of UTF-16 code units, as canonical JSON has it. */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
