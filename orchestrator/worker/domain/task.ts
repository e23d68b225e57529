import type { TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import type { PatchFault } from "../../../shared/contracts/aiPatch.ts";
import type { ApprovalReason } from "../../../shared/contracts/patch.ts";
import type { ProjectSettings } from "../../../shared/contracts/project.ts";
import type { RouteDecision } from "../../../shared/contracts/provider.ts";
import type { ValidationCommand, ValidationReport } from "../../../shared/contracts/runner.ts";
import type { Source } from "../../../shared/contracts/source.ts";
import type { taskTypes } from "../../../shared/contracts/task.ts";
import type { TaskLimits } from "./limits.ts";
import type { OutcomeCode } from "./outcome.ts";
import type { ExecutionStatus, PatchSetStatus, TaskStatus } from "./states.ts";

/** The nouns as the core sees them. Every one belongs to an organization; times are ms UTC. */
export type Outcome = { code: OutcomeCode; message: string };

/** A text that lives in its row when it is small, else in R2 under a key. */
export type StoredText = { kind: "inline"; text: string } | { kind: "artifact"; key: string };

export type Task = {
  organizationId: string;
  id: string;
  projectId: string;
  orderId: string;
  type: (typeof taskTypes)[number];
  kind: string;
  prompt: StoredText;
  source: Source;
  status: TaskStatus;
  /** Grows with every attempt; 0 before the first. Every later write names it. */
  fence: number;
  provider: string | null;
  preferredProvider: string | null;
  allowFallback: boolean;
  model: string | null;
  allowedPaths: string[] | null;
  /** Null: those of the project. */
  validation: ValidationCommand[] | null;
  limits: TaskLimits;
  deadlineAtMs: number;
  callbackUrl: string | null;
  cancelRequestedAtMs: number | null;
  notBeforeMs: number | null;
  notBeforeReason: string | null;
  delays: number;
  sends: number;
  /** Attempts that ended badly and were made again. */
  retries: number;
  /** What a person is asked, while the task is `waiting_input`. */
  waiting: Waiting | null;
  /** What the next attempt goes on with: the session that was suspended, and the answer. */
  resume: Resume | null;
  /** The task that this one remediates, and how many stand between it and the root. */
  parentId: string | null;
  depth: number;
  /** The task that this one is a replay of. */
  replayOf: string | null;
  /** The patch set that this task takes back; such a task has no agent. */
  reverts: string | null;
  outcome: Outcome | null;
  createdBy: string;
  createdAtMs: number;
  updatedAtMs: number;
  finishedAtMs: number | null;
};

/** What every task begins with, whoever makes it: nothing was tried, and nothing is known of it. */
export const untouchedTask = (nowMs: number) =>
  ({
    status: "queued",
    fence: 0,
    provider: null,
    cancelRequestedAtMs: null,
    notBeforeMs: null,
    notBeforeReason: null,
    delays: 0,
    sends: 1,
    waiting: null,
    resume: null,
    outcome: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    finishedAtMs: null,
  }) as const satisfies Partial<Task>;

export const waitingKinds = ["question", "plan", "approval"] as const;
export type WaitingKind = (typeof waitingKinds)[number];
export type Waiting = { kind: WaitingKind; text: string; sinceMs: number; expiresAtMs: number };
export type Resume = { sessionId: string | null; answer: string };

export type Project = {
  organizationId: string;
  id: string;
  name: string;
  source: Source;
  settings: ProjectSettings;
  createdBy: string;
  createdAtMs: number;
};

/** An order owns the branch `factory/<order id>`; its head is the last commit that was delivered. */
export type Order = { projectId: string; id: string; headCommit: string | null };

export const branchOfOrder = (orderId: string): string => `factory/${orderId}`;

export type Execution = {
  organizationId: string;
  taskId: string;
  fence: number;
  id: string;
  provider: string;
  status: ExecutionStatus;
  config: ConfigSnapshot;
  sessionId: string | null;
  usage: TokenUsage | null;
  events: number;
  outcome: Outcome | null;
  createdAtMs: number;
  settledAtMs: number | null;
  durationMs: number | null;
};

/** Who makes the patch of a task that reverts: Switchyard itself. */
export const ownProvider = "switchyard";

/** What one dispatch was resolved to, with the level each value came from. Never a secret. */
export type ConfigSnapshot = {
  provider: Sourced<string>;
  /** In whose containers the agent works; null = on the deployment's own runner. Not in snapshots of old. */
  factory?: Sourced<string | null>;
  model: Sourced<string | null>;
  endpoint: Sourced<string | null>;
  /** The name of a secret; null where nobody needs one. */
  credential: Sourced<string | null>;
  limits: TaskLimits;
};
export type ConfigLevel = "task" | "project" | "organization" | "platform" | "agent";
export type Sourced<T> = { value: T; from: ConfigLevel };

export type PatchSetRecord = {
  organizationId: string;
  taskId: string;
  fence: number;
  id: string;
  contentKey: string;
  status: PatchSetStatus;
  set: StoredText;
  baseCommit: string;
  /** What the order's branch had gone on to: the set was brought onto that commit. Null = it stays on its base. */
  ontoCommit: string | null;
  files: number;
  operations: number;
  treeId: string | null;
  commitSha: string | null;
  validation: ValidationReport | null;
  /** Why a person was asked; null = nobody was. */
  approvalReasons: ApprovalReason[] | null;
  approvedBy: string | null;
  /** What exactly was approved, see `bindingOf`. */
  approvedBinding: string | null;
  /** The head of the project's audit chain when validation began, `number:hash`; null = nothing was sealed yet. */
  auditHead: string | null;
  faults: PatchFault[];
};

/** The commit that the patch's own follows. */
export const parentOf = ({
  baseCommit,
  ontoCommit,
}: Pick<PatchSetRecord, "baseCommit" | "ontoCommit">): string => ontoCommit ?? baseCommit;

/** Such a set is shown to nobody. */
export const addsSecret = ({ faults }: Pick<PatchSetRecord, "faults">): boolean =>
  faults.some(({ code }) => code === "secret_found");

/** One line of the audit trail. */
export type LogEntry = {
  actor: string;
  action: string;
  message: string;
  details?: Record<string, unknown>;
};

/** A message that tells of an outcome. One `dedupeKey` makes one notice; its id is the same however often it is sent. */
export type Notice = {
  organizationId: string;
  id: string;
  dedupeKey: string;
  taskId: string;
  channel: "inbox" | "callback";
  target: string | null;
  body: NoticeBody;
  attempts: number;
};
export type NoticeBody = {
  taskId: string;
  projectId: string;
  orderId: string;
  status: TaskStatus;
  outcome: Outcome;
  commit: { branch: string; sha: string } | null;
  atMs: number;
};

export type Assignment = {
  id: string;
  provider: string;
  providerType: "jules" | "cli" | "internal";
  decision: RouteDecision;
};
