import { SwitchyardError } from "../../../shared/errors.ts";
import type {
  Execution,
  Notice,
  Outcome,
  PatchSetRecord,
  Project,
  StoredText,
  Task,
} from "../domain/task.ts";
import type { aiProviderExecutions, patchSets } from "./runTables.ts";
import type { notices, projects, tasks } from "./schema.ts";

/** Rows to nouns and back. */
export const storedText = (text: string | null, key: string | null): StoredText => {
  if (text !== null) return { kind: "inline", text };
  if (key !== null) return { kind: "artifact", key };
  throw new SwitchyardError("internal", "A row has neither a text nor a key.");
};

export const textColumns = (stored: StoredText) =>
  stored.kind === "inline" ? { text: stored.text, key: null } : { text: null, key: stored.key };

const outcomeOf = (row: {
  outcomeCode: Outcome["code"] | null;
  outcomeMessage: string | null;
}): Outcome | null =>
  row.outcomeCode === null ? null : { code: row.outcomeCode, message: row.outcomeMessage ?? "" };

export function toTask(row: typeof tasks.$inferSelect): Task {
  const { promptText, promptKey, sweepAtMs: _, outcomeCode, outcomeMessage, ...rest } = row;
  return {
    ...rest,
    prompt: storedText(promptText, promptKey),
    outcome: outcomeOf({ outcomeCode, outcomeMessage }),
  };
}

export function fromTask(task: Task, sweepAtMs: number | null): typeof tasks.$inferInsert {
  const { prompt, outcome, ...rest } = task;
  const { text, key } = textColumns(prompt);
  return {
    ...rest,
    promptText: text,
    promptKey: key,
    sweepAtMs,
    outcomeCode: outcome?.code ?? null,
    outcomeMessage: outcome?.message ?? null,
  };
}

export const toProject = (row: typeof projects.$inferSelect): Project => row;

export const toExecution = (row: typeof aiProviderExecutions.$inferSelect): Execution => ({
  organizationId: row.organizationId,
  taskId: row.taskUuid,
  fence: row.fence,
  id: row.executionId,
  provider: row.providerName,
  status: row.status,
  config: row.input,
  sessionId: row.sessionId,
  usage: row.usage,
  events: row.events,
  outcome: outcomeOf(row),
  createdAtMs: row.createdAtMs,
  settledAtMs: row.settledAtMs,
  durationMs: row.durationMs,
});

export const toPatchSet = (row: typeof patchSets.$inferSelect): PatchSetRecord => ({
  organizationId: row.organizationId,
  taskId: row.taskId,
  fence: row.fence,
  id: row.id,
  contentKey: row.contentKey,
  status: row.status,
  set: storedText(row.setText, row.setKey),
  baseCommit: row.baseCommit,
  ontoCommit: row.ontoCommit,
  files: row.files,
  operations: row.operations,
  treeId: row.treeId,
  commitSha: row.commitSha,
  validation: row.validation,
  approvalReasons: row.approvalReasons,
  approvedBy: row.approvedBy,
  approvedBinding: row.approvedBinding,
  auditHead: row.auditHead,
  faults: row.faults,
});

export const toNotice = (row: typeof notices.$inferSelect): Notice => ({
  organizationId: row.organizationId,
  id: row.id,
  dedupeKey: row.dedupeKey,
  taskId: row.taskId,
  channel: row.channel,
  target: row.target,
  body: row.body,
  attempts: row.attempts,
});
