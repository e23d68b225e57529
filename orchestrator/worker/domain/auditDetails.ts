import type { Execution, PatchSetRecord } from "./task.ts";

/** Which attempt a line is about: who worked, with which model, and under which key's name. Never a value of a key. */
export const attemptDetails = ({ id, fence, provider, config }: Execution) => ({
  executionId: id,
  fence,
  agent: provider,
  model: config.model.value,
  keyName: config.credential.value,
});

/** Which patch set a line is about, whose work it is, and what came of the step. */
export const patchDetails = (
  execution: Execution,
  patch: Pick<PatchSetRecord, "id" | "contentKey" | "baseCommit" | "ontoCommit">,
  result: Record<string, unknown>,
): Record<string, unknown> => ({
  ...attemptDetails(execution),
  patchSetId: patch.id,
  contentKey: patch.contentKey,
  baseCommit: patch.baseCommit,
  ...(patch.ontoCommit === null ? {} : { ontoCommit: patch.ontoCommit }),
  ...result,
});
