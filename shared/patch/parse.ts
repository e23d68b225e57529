import type { AIPatch, PatchFault, PatchFile, PatchSet } from "../contracts/aiPatch.ts";
import { fileFault, type IndexedPatch, orderFaults, setFault } from "./faults.ts";
import { fieldUseFaults } from "./fieldUse.ts";
import { isRecord } from "./shape.ts";
import { fileShape, patchShape, setShape } from "./wireShape.ts";

export type ParsedPatchSet =
  | { kind: "parsed"; set: PatchSet }
  | { kind: "refused"; faults: PatchFault[] };

/** Reads a set from the wire. Every fault of its form comes back at once, each with its code. */
export function parsePatchSet(input: unknown): ParsedPatchSet {
  const { set, faults } = salvagePatchSet(input);
  if (set === null || faults.length > 0) return { kind: "refused", faults: orderFaults(faults) };
  return { kind: "parsed", set: input as PatchSet };
}

/**
 * The well-formed part of a set, so that what is wrong with the rest does not hide what is wrong with it.
 * `set` is null when nothing can be made of the input. `patches` keep their places in the array.
 * Of `incompleteFiles` some patch is missing, of `unreadableFiles` the entry itself.
 */
export type SalvagedPatchSet = {
  set: Omit<PatchSet, "patches"> | null;
  patches: IndexedPatch[];
  incompleteFiles: ReadonlySet<string>;
  unreadableFiles: ReadonlySet<string>;
  faults: PatchFault[];
};

export function salvagePatchSet(input: unknown): SalvagedPatchSet {
  const none = new Set<string>();
  const nothing = { set: null, patches: [], incompleteFiles: none, unreadableFiles: none };
  if (!isRecord(input))
    return { ...nothing, faults: [setFault("schema_unsupported", "a patch set is an object")] };
  const { schema, files, patches } = input;
  if (schema !== undefined && schema !== "aipatch/1")
    return { ...nothing, faults: [setFault("schema_unsupported", "schema must be aipatch/1")] };

  const setFaults = setShape(input, "").map(({ code, message }) => setFault(code, message));
  const readFiles = salvageFiles(isRecord(files) ? files : {});
  const readPatches = salvagePatches(Array.isArray(patches) ? patches : []);
  const faults = [...setFaults, ...readFiles.faults, ...readPatches.faults];
  if (!canBePlaced(input)) return { ...nothing, faults };
  return {
    set: { ...(input as PatchSet), files: readFiles.files },
    patches: readPatches.patches,
    incompleteFiles: new Set(readPatches.refused),
    unreadableFiles: new Set(readFiles.refused),
    faults,
  };
}

function canBePlaced({ mode, coordinates }: Record<string, unknown>): boolean {
  return (
    (mode === "lines" || mode === "exact") &&
    (coordinates === "snapshot" || coordinates === "sequential")
  );
}

function salvageFiles(files: Record<string, unknown>) {
  const kept: [string, PatchFile][] = [];
  const refused: string[] = [];
  const faults: PatchFault[] = [];
  for (const [path, file] of Object.entries(files)) {
    const found = fileShape(file, "");
    for (const { code, message } of found) faults.push(fileFault(path, code, message));
    if (found.length === 0) kept.push([path, file as PatchFile]);
    else refused.push(path);
  }
  return { files: Object.fromEntries(kept), refused, faults };
}

function salvagePatches(input: readonly unknown[]) {
  const patches: IndexedPatch[] = [];
  const refused: string[] = [];
  const faults: PatchFault[] = [];
  input.forEach((value, index) => {
    const record = isRecord(value) ? value : {};
    const file = typeof record.file === "string" ? record.file : null;
    const found = [...patchShape(value, ""), ...fieldUseFaults(record)];
    for (const { code, message } of found) faults.push({ index, file, code, message });
    if (found.length === 0) patches.push({ index, patch: value as AIPatch });
    else if (file !== null) refused.push(file);
  });
  return { patches, refused, faults };
}
