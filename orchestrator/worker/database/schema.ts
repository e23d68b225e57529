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
import { roles } from "../../../shared/contracts/identity.ts";
import type { ProjectSettings } from "../../../shared/contracts/project.ts";
import type { ValidationCommand } from "../../../shared/contracts/runner.ts";
import type { Source } from "../../../shared/contracts/source.ts";
import { taskTypes } from "../../../shared/contracts/task.ts";
import type { TaskLimits } from "../domain/limits.ts";
import { outcomeCodes } from "../domain/outcome.ts";
import { noticeStatuses, taskStatuses } from "../domain/states.ts";
import type { NoticeBody, Resume, Waiting } from "../domain/task.ts";
import { atMs, json } from "./columns.ts";

export const organizations = sqliteTable("organizations", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  createdAtMs: atMs("created_at_ms").notNull(),
  /** When a task of it was last claimed: who waited longest is served next. */
  lastClaimAtMs: atMs("last_claim_at_ms").notNull().default(0),
});

export const principals = sqliteTable(
  "principals",
  {
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    id: text("id").notNull(),
    createdAtMs: atMs("created_at_ms").notNull(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.id] })],
);

export const apiTokens = sqliteTable(
  "api_tokens",
  {
    organizationId: text("organization_id").notNull(),
    id: text("id").notNull(),
    principalId: text("principal_id").notNull(),
    role: text("role", { enum: roles }).notNull(),
    sha256: text("sha256").notNull(),
    createdAtMs: atMs("created_at_ms").notNull(),
    expiresAtMs: atMs("expires_at_ms"),
    revokedAtMs: atMs("revoked_at_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.id] }),
    uniqueIndex("api_tokens_by_sha256").on(t.sha256),
    foreignKey({
      columns: [t.organizationId, t.principalId],
      foreignColumns: [principals.organizationId, principals.id],
    }),
  ],
);

export const projects = sqliteTable(
  "projects",
  {
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    id: text("id").notNull(),
    name: text("name").notNull(),
    source: json<Source>("source").notNull(),
    settings: json<ProjectSettings>("settings").notNull(),
    createdBy: text("created_by").notNull(),
    createdAtMs: atMs("created_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.id] }),
    uniqueIndex("projects_by_name").on(t.organizationId, t.name),
  ],
);

export const orders = sqliteTable(
  "orders",
  {
    organizationId: text("organization_id").notNull(),
    projectId: text("project_id").notNull(),
    id: text("id").notNull(),
    headCommit: text("head_commit"),
    createdAtMs: atMs("created_at_ms").notNull(),
    updatedAtMs: atMs("updated_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.projectId, t.id] }),
    foreignKey({
      columns: [t.organizationId, t.projectId],
      foreignColumns: [projects.organizationId, projects.id],
    }),
  ],
);

export const tasks = sqliteTable(
  "tasks",
  {
    organizationId: text("organization_id").notNull(),
    id: text("id").notNull(),
    projectId: text("project_id").notNull(),
    orderId: text("order_id").notNull(),
    type: text("type", { enum: taskTypes }).notNull(),
    kind: text("kind").notNull(),
    promptText: text("prompt_text"),
    promptKey: text("prompt_key"),
    source: json<Source>("source").notNull(),
    status: text("status", { enum: taskStatuses }).notNull(),
    fence: integer("fence").notNull().default(0),
    provider: text("provider"),
    preferredProvider: text("preferred_provider"),
    allowFallback: integer("allow_fallback", { mode: "boolean" }).notNull(),
    model: text("model"),
    allowedPaths: json<string[]>("allowed_paths"),
    validation: json<ValidationCommand[]>("validation"),
    limits: json<TaskLimits>("limits").notNull(),
    deadlineAtMs: atMs("deadline_at_ms").notNull(),
    callbackUrl: text("callback_url"),
    cancelRequestedAtMs: atMs("cancel_requested_at_ms"),
    notBeforeMs: atMs("not_before_ms"),
    notBeforeReason: text("not_before_reason"),
    delays: integer("delays").notNull().default(0),
    sends: integer("sends").notNull().default(1),
    retries: integer("retries").notNull().default(0),
    waiting: json<Waiting>("waiting"),
    resume: json<Resume>("resume"),
    parentId: text("parent_id"),
    depth: integer("depth").notNull().default(0),
    replayOf: text("replay_of"),
    reverts: text("reverts"),
    /** When the sweep looks at this task next; null once it is final. */
    sweepAtMs: atMs("sweep_at_ms"),
    outcomeCode: text("outcome_code", { enum: outcomeCodes }),
    outcomeMessage: text("outcome_message"),
    createdBy: text("created_by").notNull(),
    createdAtMs: atMs("created_at_ms").notNull(),
    updatedAtMs: atMs("updated_at_ms").notNull(),
    finishedAtMs: atMs("finished_at_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.id] }),
    foreignKey({
      columns: [t.organizationId, t.projectId],
      foreignColumns: [projects.organizationId, projects.id],
    }),
    index("tasks_queued").on(t.organizationId, t.id).where(sql`status = 'queued'`),
    index("tasks_of_order")
      .on(t.organizationId, t.projectId, t.orderId)
      .where(sql`finished_at_ms is null`),
    index("tasks_by_parent").on(t.organizationId, t.parentId).where(sql`parent_id is not null`),
    index("tasks_to_sweep").on(t.sweepAtMs).where(sql`sweep_at_ms is not null`),
  ],
);

export const idempotencyRecords = sqliteTable(
  "idempotency_records",
  {
    organizationId: text("organization_id").notNull(),
    key: text("key").notNull(),
    requestSha256: text("request_sha256").notNull(),
    answer: text("answer").notNull(),
    expiresAtMs: atMs("expires_at_ms").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.key] }),
    index("idempotency_records_by_expiry").on(t.expiresAtMs),
  ],
);

export const operationLogs = sqliteTable(
  "operation_logs",
  {
    organizationId: text("organization_id").notNull(),
    /** The task, project, token … that the line is about. */
    subjectId: text("subject_id").notNull(),
    id: text("id").notNull(),
    /** Whose chain the line is in: a project's, or "" for the organization's own. A trigger refuses null. */
    projectId: text("project_id"),
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    message: text("message").notNull(),
    details: json<Record<string, unknown>>("details"),
    atMs: atMs("at_ms").notNull(),
    /** The line's place in its chain: 1, 2, 3 … without a gap, in the order of the commits. */
    seq: integer("seq").notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.subjectId, t.id] }),
    uniqueIndex("operation_logs_chain").on(t.organizationId, t.projectId, t.seq),
  ],
);

/** What makes a change of `operation_logs` show: digests of its lines, each seal over the one before it. */
export const operationLogSeals = sqliteTable(
  "operation_log_seals",
  {
    organizationId: text("organization_id").notNull(),
    projectId: text("project_id").notNull(),
    number: integer("number").notNull(),
    firstSeq: integer("first_seq").notNull(),
    lastSeq: integer("last_seq").notNull(),
    /** The SHA-256 of every line from the first to the last, in hex, with spaces between. */
    digests: text("digests").notNull(),
    hash: text("hash").notNull(),
    sealedAtMs: atMs("sealed_at_ms").notNull(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.projectId, t.number] })],
);

/** Which head of a chain was put where nobody overwrites it, at most one a day. */
export const operationLogAnchors = sqliteTable(
  "operation_log_anchors",
  {
    organizationId: text("organization_id").notNull(),
    projectId: text("project_id").notNull(),
    /** In UTC, such as 2026-11-21. */
    day: text("day").notNull(),
    number: integer("number").notNull(),
    hash: text("hash").notNull(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.projectId, t.day] })],
);

export const notices = sqliteTable(
  "notices",
  {
    organizationId: text("organization_id").notNull(),
    id: text("id").notNull(),
    /** task.fence.state.channel: the same outcome makes one notice. */
    dedupeKey: text("dedupe_key").notNull(),
    taskId: text("task_id").notNull(),
    channel: text("channel", { enum: ["inbox", "callback"] }).notNull(),
    target: text("target"),
    status: text("status", { enum: noticeStatuses }).notNull(),
    body: json<NoticeBody>("body").notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAtMs: atMs("next_attempt_at_ms"),
    createdAtMs: atMs("created_at_ms").notNull(),
    sentAtMs: atMs("sent_at_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.id] }),
    uniqueIndex("notices_by_dedupe_key").on(t.organizationId, t.dedupeKey),
    index("notices_pending").on(t.nextAttemptAtMs).where(sql`next_attempt_at_ms is not null`),
  ],
);
