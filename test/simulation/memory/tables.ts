import type { Anchor } from "../../../orchestrator/worker/domain/ports/anchorStore.ts";
import type { ChainRef, Seal } from "../../../orchestrator/worker/domain/ports/auditStore.ts";
import type { DeadLetter } from "../../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { IdempotencyRecord } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import type { AssignmentStatus, NoticeStatus } from "../../../orchestrator/worker/domain/states.ts";
import type {
  Assignment,
  Execution,
  LogEntry,
  Notice,
  Order,
  PatchSetRecord,
  Project,
  StoredText,
  Task,
} from "../../../orchestrator/worker/domain/task.ts";
import type { ProviderConfig } from "../../../shared/contracts/provider.ts";

/** Rows are never changed: a write puts a new one in its place. So they are handed out as they are. */
export type TaskRow = { readonly task: Task; readonly sweepAtMs: number | null };
export type ExecutionRow = {
  readonly execution: Execution;
  readonly projectId: string;
  readonly startedAtMs: number | null;
  readonly output: StoredText | null;
  readonly patchData: string | null;
};
export type AssignmentRow = Assignment & {
  readonly organizationId: string;
  readonly taskId: string;
  readonly fence: number;
  readonly status: AssignmentStatus;
  readonly executionId: string;
  readonly createdAtMs: number;
};
export type PatchSetRow = {
  readonly patch: PatchSetRecord;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};
export type NoticeRow = {
  readonly notice: Notice;
  readonly status: NoticeStatus;
  readonly nextAttemptAtMs: number | null;
  readonly createdAtMs: number;
  readonly sentAtMs: number | null;
};
export type OrderRow = {
  readonly organizationId: string;
  readonly order: Order;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};
export type LogRow = {
  readonly id: string;
  readonly organizationId: string;
  readonly subjectId: string;
  readonly projectId: string;
  readonly seq: number;
  readonly atMs: number;
  readonly entry: LogEntry;
};
export type OrganizationRow = { readonly id: string; readonly lastClaimAtMs: number };
export type IdempotencyRow = IdempotencyRecord & { readonly organizationId: string };
export type ProviderConfigRow = {
  readonly organizationId: string;
  readonly provider: string;
  readonly config: ProviderConfig;
  readonly updatedAtMs: number;
};

/** Every row by its key, as the functions below build it. */
export type Tables = {
  /** Grows with every batch that has changed something. */
  version: number;
  organizations: Map<string, OrganizationRow>;
  projects: Map<string, Project>;
  orders: Map<string, OrderRow>;
  tasks: Map<string, TaskRow>;
  assignments: Map<string, AssignmentRow>;
  executions: Map<string, ExecutionRow>;
  patchSets: Map<string, PatchSetRow>;
  idempotency: Map<string, IdempotencyRow>;
  notices: Map<string, NoticeRow>;
  deadLetters: Map<string, DeadLetter>;
  providerConfigs: Map<string, ProviderConfigRow>;
  /** By subject, oldest first. */
  logs: Map<string, LogRow[]>;
  seals: Map<string, Seal>;
  anchors: Map<string, Anchor>;
  index: Indexes;
};

/** What the indexes of the schema are for; kept by `put…` alone. */
export type Indexes = {
  queued: Map<string, TaskRow>;
  toSweep: Map<string, TaskRow>;
  /** Tasks that have not finished, by their order. */
  ofOrder: Map<string, Map<string, TaskRow>>;
  /** Ids of the tasks with a parent, by that parent. */
  children: Map<string, string[]>;
  liveExecutions: Map<string, ExecutionRow>;
  /** The attempts of a task, lowest fence first. */
  executionsOf: Map<string, ExecutionRow[]>;
  /** The patch sets of a task, lowest id first. */
  patchSetsOf: Map<string, PatchSetRow[]>;
  activeAssignment: Map<string, string>;
  pendingNotices: Map<string, NoticeRow>;
  dedupeKeys: Set<string>;
  projectNames: Set<string>;
  messages: Map<string, DeadLetter>;
  /** Lines and seals of a chain, oldest first: line n is at n - 1. */
  chainLines: Map<string, LogRow[]>;
  chainSeals: Map<string, readonly Seal[]>;
  newestAnchor: Map<string, Anchor>;
  chains: readonly ChainRef[];
};

export const emptyTables = (): Tables => ({
  version: 0,
  organizations: new Map(),
  projects: new Map(),
  orders: new Map(),
  tasks: new Map(),
  assignments: new Map(),
  executions: new Map(),
  patchSets: new Map(),
  idempotency: new Map(),
  notices: new Map(),
  deadLetters: new Map(),
  providerConfigs: new Map(),
  logs: new Map(),
  seals: new Map(),
  anchors: new Map(),
  index: {
    queued: new Map(),
    toSweep: new Map(),
    ofOrder: new Map(),
    children: new Map(),
    liveExecutions: new Map(),
    executionsOf: new Map(),
    patchSetsOf: new Map(),
    activeAssignment: new Map(),
    pendingNotices: new Map(),
    dedupeKeys: new Set(),
    projectNames: new Set(),
    messages: new Map(),
    chainLines: new Map(),
    chainSeals: new Map(),
    newestAnchor: new Map(),
    chains: [],
  },
});

/** The key of everything that an organization has under an id: its tasks, projects, notices … */
export const idKey = (organizationId: string, id: string): string => `${organizationId}/${id}`;

export const chainKey = (chain: ChainRef): string => `${chain.organizationId}/${chain.projectId}`;

export const taskKey = (ref: { organizationId: string; taskId: string }): string =>
  `${ref.organizationId}/${ref.taskId}`;

export const attemptKey = (ref: {
  organizationId: string;
  taskId: string;
  fence: number;
}): string => `${ref.organizationId}/${ref.taskId}/${ref.fence}`;

export const orderKey = (organizationId: string, projectId: string, orderId: string): string =>
  `${organizationId}/${projectId}/${orderId}`;

export const patchSetKey = (ref: {
  organizationId: string;
  taskId: string;
  patchSetId: string;
}): string => `${ref.organizationId}/${ref.taskId}/${ref.patchSetId}`;
