import { sql } from "drizzle-orm";
import {
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import type { PatchFault } from "../../../shared/contracts/aiPatch.ts";
import type { ApprovalReason } from "../../../shared/contracts/patch.ts";
import {
  assignmentTypes,
  type ProviderConfig,
  type RouteDecision,
} from "../../../shared/contracts/provider.ts";
import type { ValidationReport } from "../../../shared/contracts/runner.ts";
import { outcomeCodes } from "../domain/outcome.ts";
import { deadLetterStatuses } from "../domain/ports/deadLetterStore.ts";
import { assignmentStatuses, executionStatuses, patchSetStatuses } from "../domain/states.ts";
import type { ConfigSnapshot } from "../domain/task.ts";
import { atMs, json } from "./columns.ts";
import { organizations, tasks } from "./schema.ts";

export const aiProviderAssignments = sqliteTable(
  "ai_provider_assignments",
  {
    organizationId: text("organization_id").notNull(),
    taskUuid: text("task_uuid").notNull(),
    fence: integer("fence").notNull(),
    id: text("id").notNull(),
    providerName: text("provider_name").notNull(),
    providerType: text("provider_type", { enum: assignmentTypes }).notNull(),
    status: text("status", { enum: assignmentStatuses }).notNull(),
    executionId: text("execution_id"),
    decision: json<RouteDecision>("decision").notNull(),
    createdAtMs: atMs("created_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.taskUuid, t.fence] }),
    foreignKey({
      columns: [t.organizationId, t.taskUuid],
      foreignColumns: [tasks.organizationId, tasks.id],
    }),
    uniqueIndex("ai_provider_assignments_active")
      .on(t.organizationId, t.taskUuid)
      .where(sql`status = 'active'`),
  ],
);

export const aiProviderExecutions = sqliteTable(
  "ai_provider_executions",
  {
    organizationId: text("organization_id").notNull(),
    taskUuid: text("task_uuid").notNull(),
    fence: integer("fence").notNull(),
    executionId: text("execution_id").notNull(),
    projectId: text("project_id").notNull().default(""),
    providerName: text("provider_name").notNull(),
    status: text("status", { enum: executionStatuses }).notNull(),
    /** The resolved settings of this attempt, with the level each came from; never a secret. */
    input: json<ConfigSnapshot>("input").notNull(),
    /** The agent's last words, inline or by key. */
    output: text("output"),
    outputKey: text("output_key"),
    /** The id of the patch set that it left, if any. */
    patchData: text("patch_data"),
    sessionId: text("session_id"),
    usage: json<TokenUsage>("usage"),
    events: integer("events").notNull().default(0),
    outcomeCode: text("outcome_code", { enum: outcomeCodes }),
    outcomeMessage: text("outcome_message"),
    createdAtMs: atMs("created_at_ms").notNull(),
    startedAtMs: atMs("started_at_ms"),
    settledAtMs: atMs("settled_at_ms"),
    durationMs: integer("duration_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.taskUuid, t.fence] }),
    foreignKey({
      columns: [t.organizationId, t.taskUuid],
      foreignColumns: [tasks.organizationId, tasks.id],
    }),
    index("ai_provider_executions_live").on(t.providerName).where(sql`settled_at_ms is null`),
    index("ai_provider_executions_live_of")
      .on(t.organizationId, t.projectId)
      .where(sql`settled_at_ms is null`),
  ],
);

export const aiProviderConfigs = sqliteTable(
  "ai_provider_configs",
  {
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    providerName: text("provider_name").notNull(),
    enabled: integer("enabled", { mode: "boolean" }).notNull(),
    apiEndpoint: text("api_endpoint"),
    defaultModel: text("default_model"),
    rateLimits: json<ProviderConfig["rateLimits"]>("rate_limits").notNull(),
    costPerToken: json<ProviderConfig["costPerToken"]>("cost_per_token").notNull(),
    updatedAtMs: atMs("updated_at_ms").notNull(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.providerName] })],
);

export const deadLetters = sqliteTable(
  "dead_letters",
  {
    organizationId: text("organization_id").notNull(),
    id: text("id").notNull(),
    taskId: text("task_id").notNull(),
    messageId: text("message_id").notNull(),
    status: text("status", { enum: deadLetterStatuses }).notNull(),
    because: text("because").notNull(),
    replayedAs: text("replayed_as"),
    replayedBy: text("replayed_by"),
    createdAtMs: atMs("created_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.id] }),
    uniqueIndex("dead_letters_by_message").on(t.organizationId, t.messageId),
    index("dead_letters_by_status").on(t.organizationId, t.status, t.id),
  ],
);

export const patchSets = sqliteTable(
  "patch_sets",
  {
    organizationId: text("organization_id").notNull(),
    taskId: text("task_id").notNull(),
    id: text("id").notNull(),
    fence: integer("fence").notNull(),
    contentKey: text("content_key").notNull(),
    status: text("status", { enum: patchSetStatuses }).notNull(),
    setText: text("set_text"),
    setKey: text("set_key"),
    baseCommit: text("base_commit").notNull(),
    /** What the order's branch had gone on to: the set was brought onto that commit. */
    ontoCommit: text("onto_commit"),
    files: integer("files").notNull(),
    operations: integer("operations").notNull(),
    treeId: text("tree_id"),
    commitSha: text("commit_sha"),
    validation: json<ValidationReport>("validation"),
    approvalReasons: json<ApprovalReason[]>("approval_reasons"),
    approvedBy: text("approved_by"),
    approvedBinding: text("approved_binding"),
    /** The head of the project's audit chain when validation began, as `number:hash`; null = nothing was sealed yet. */
    auditHead: text("audit_head"),
    faults: json<PatchFault[]>("faults").notNull().default([]),
    createdAtMs: atMs("created_at_ms").notNull(),
    updatedAtMs: atMs("updated_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.taskId, t.id] }),
    foreignKey({
      columns: [t.organizationId, t.taskId],
      foreignColumns: [tasks.organizationId, tasks.id],
    }),
    uniqueIndex("patch_sets_by_content").on(t.organizationId, t.taskId, t.contentKey),
    index("patch_sets_by_id").on(t.organizationId, t.id),
    index("patch_sets_awaiting")
      .on(t.organizationId, t.id)
      .where(sql`status = 'awaiting_approval'`),
  ],
);
