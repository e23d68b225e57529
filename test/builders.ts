import type { Settlement } from "../orchestrator/worker/domain/ports/executionStore.ts";
import type { Claim, NewTask } from "../orchestrator/worker/domain/ports/taskStore.ts";
import type { Notice, Project, Task } from "../orchestrator/worker/domain/task.ts";

/** Valid nouns for tests; a test names only what it is about. */
export const aProject = (changes: Partial<Project> = {}): Project => ({
  organizationId: "org_a",
  id: "proj_1",
  name: "sample",
  source: { kind: "local", path: "/repos/sample" },
  settings: { validation: [] },
  createdBy: "user:ada",
  createdAtMs: 1_000,
  ...changes,
});

export const aTask = (changes: Partial<Task> = {}): Task => ({
  organizationId: "org_a",
  id: "task_1",
  projectId: "proj_1",
  orderId: "ORD-1",
  type: "generate",
  kind: "code",
  prompt: { kind: "inline", text: "Rename add to sum." },
  source: { kind: "local", path: "/repos/sample" },
  status: "queued",
  fence: 0,
  provider: null,
  preferredProvider: null,
  allowFallback: false,
  model: null,
  allowedPaths: null,
  validation: null,
  limits: { wallClockMs: 60_000, silenceMs: 30_000, maxAttempts: 2 },
  deadlineAtMs: 10_000_000,
  callbackUrl: null,
  cancelRequestedAtMs: null,
  notBeforeMs: null,
  notBeforeReason: null,
  delays: 0,
  sends: 1,
  outcome: null,
  createdBy: "user:ada",
  createdAtMs: 1_000,
  updatedAtMs: 1_000,
  finishedAtMs: null,
  ...changes,
});

export const aLogEntry = (message = "Something happened.") => ({
  actor: "user:ada",
  action: "test",
  message,
});

export const aNewTask = (task: Task, changes: Partial<NewTask> = {}): NewTask => ({
  task,
  idempotency: null,
  sweepAtMs: 601_000,
  log: aLogEntry("The task was accepted."),
  ...changes,
});

export const aClaim = (task: Task, changes: Partial<Claim> = {}): Claim => ({
  ref: { organizationId: task.organizationId, taskId: task.id },
  fence: task.fence,
  assignment: {
    id: `asg_${task.id}_${task.fence + 1}`,
    provider: "gemini",
    providerType: "cli",
    decision: { kind: "assign", provider: "gemini", because: "it is there", considered: [] },
  },
  executionId: `exec_${task.id}_${task.fence + 1}`,
  config: {
    provider: { value: "gemini", from: "task" },
    model: { value: null, from: "agent" },
    endpoint: { value: null, from: "agent" },
    credential: { value: "GEMINI_API_KEY", from: "platform" },
    limits: task.limits,
  },
  caps: { all: 100, provider: 100 },
  nowMs: 2_000,
  sweepAtMs: 602_000,
  log: aLogEntry("Claimed."),
  ...changes,
});

export const aNotice = (task: Task, changes: Partial<Notice> = {}): Notice => ({
  organizationId: task.organizationId,
  id: `ntc_${task.id}`,
  dedupeKey: `${task.id}.1.completed.inbox`,
  taskId: task.id,
  channel: "inbox",
  target: null,
  attempts: 0,
  body: {
    taskId: task.id,
    projectId: task.projectId,
    orderId: task.orderId,
    status: "completed",
    outcome: { code: "delivered", message: "Delivered." },
    commit: null,
    atMs: 5_000,
  },
  ...changes,
});

export const aSettlement = (task: Task, changes: Partial<Settlement> = {}): Settlement => ({
  ref: { organizationId: task.organizationId, taskId: task.id, fence: 1 },
  executionEvent: "succeed",
  taskEvent: "receive_patch",
  outcome: null,
  result: {
    usage: null,
    sessionId: "session-1",
    events: 7,
    durationMs: 900,
    baseCommit: "b".repeat(40),
    output: { kind: "inline", text: "Done." },
  },
  patch: {
    organizationId: task.organizationId,
    taskId: task.id,
    fence: 1,
    id: `ps_${task.id}`,
    contentKey: "c".repeat(64),
    set: { kind: "inline", text: "{}" },
    baseCommit: "b".repeat(40),
    files: 1,
    operations: 1,
    treeId: null,
  },
  notices: [],
  notBeforeMs: null,
  sweepAtMs: 700_000,
  nowMs: 4_000,
  log: [aLogEntry("Settled.")],
  ...changes,
});
