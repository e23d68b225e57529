import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import { contentKey } from "../../../../shared/patch/contentKey.ts";
import { keepText } from "../../domain/keepText.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { Attempt, PatchNote } from "../../domain/ports/supervisorMemory.ts";

/** Stores a run's patch and answers what is to be known of it. */
export async function notePatch(
  artifacts: Artifacts,
  attempt: Attempt,
  set: PatchSet,
): Promise<PatchNote> {
  return {
    set: await keepText(artifacts, attempt, "patch.json", JSON.stringify(set)),
    contentKey: await contentKey(set),
    baseCommit: set.base.commit ?? "",
    files: Object.keys(set.files).length,
    operations: operationsOf(set),
  };
}

/** Line operations, and one for every file that is handled whole. */
const operationsOf = (set: PatchSet): number =>
  set.patches.length + Object.values(set.files).filter((file) => file.op !== "edit").length;
