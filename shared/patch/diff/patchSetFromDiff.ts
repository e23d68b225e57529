import type { PatchFault, PatchFile, PatchSet } from "../../contracts/aiPatch.ts";
import { SwitchyardError } from "../../errors.ts";
import { fileFault, orderFaults, setFault } from "../faults.ts";
import type { FromDiffContext } from "../fromDiff.ts";
import type { ReadFile } from "../treeFile.ts";
import { type ConvertedFile, convertFile, type DiffFault } from "./convertFile.ts";
import type { FileDiff } from "./fileDiff.ts";
import { parseGitDiff } from "./parseGitDiff.ts";

export type DiffNaming = Pick<FromDiffContext, "taskId" | "provider" | "model"> & {
  id: string;
  base: PatchSet["base"];
};

export type ConvertedDiff =
  | { kind: "converted"; set: PatchSet }
  | { kind: "refused"; faults: PatchFault[] };

/**
 * A diff of any number of files as a set in mode `exact`, with every fault that keeps it from being one. `readFile`
 * answers with the tree that the diff is of: from it come the encoding of a file, what a binary delta changes, and
 * whether a new file is meant. Where the tree is another than the diff says, the set says so by its guards.
 */
export async function patchSetFromDiff(
  diff: Uint8Array,
  { id, base, ...naming }: DiffNaming,
  readFile: ReadFile,
): Promise<ConvertedDiff> {
  const parsed = parsedOrFault(diff);
  if (!Array.isArray(parsed)) return { kind: "refused", faults: [parsed] };
  const files = new Map<string, PatchFile>();
  const patches: PatchSet["patches"] = [];
  const faults: PatchFault[] = [];
  for (const one of parsed) {
    const converted = await convertFile(one, naming, readFile);
    if ("code" in converted) faults.push(faultOf(one, converted));
    else addFile(converted, { files, patches, faults });
  }
  if (faults.length > 0) return { kind: "refused", faults: orderFaults(faults) };
  const form = { schema: "aipatch/1", mode: "exact", coordinates: "snapshot" } as const;
  const set = {
    ...form,
    id,
    task_id: naming.taskId,
    base,
    files: Object.fromEntries(files),
    patches,
  };
  return { kind: "converted", set };
}

function parsedOrFault(diff: Uint8Array): FileDiff[] | PatchFault {
  try {
    const files = parseGitDiff(diff);
    return files.length > 0 ? files : setFault("schema_unsupported", "it holds no diff");
  } catch (error) {
    if (!(error instanceof SwitchyardError)) throw error;
    return setFault("schema_unsupported", error.message);
  }
}

const faultOf = ({ oldPath, newPath }: FileDiff, { code, message }: DiffFault): PatchFault =>
  fileFault(newPath ?? oldPath ?? "", code, message);

function addFile(
  { entries, patches: added }: ConvertedFile,
  to: { files: Map<string, PatchFile>; patches: PatchSet["patches"]; faults: PatchFault[] },
): void {
  for (const [path, file] of entries) {
    if (to.files.has(path))
      to.faults.push(fileFault(path, "duplicate_patch", "the diff changes it more than once"));
    else to.files.set(path, file);
  }
  for (const patch of added) to.patches.push(patch);
}
