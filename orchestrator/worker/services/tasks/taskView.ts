import type { TaskDetail, TaskView } from "../../../../shared/contracts/task.ts";
import type { TaskStory } from "../../domain/ports/taskStore.ts";
import {
  branchOfOrder,
  type Execution,
  type PatchSetRecord,
  type Task,
} from "../../domain/task.ts";

/** What callers see of a task. */
export const taskView = (task: Task): TaskView => ({
  id: task.id,
  projectId: task.projectId,
  orderId: task.orderId,
  status: task.status,
  type: task.type,
  kind: task.kind,
  fence: task.fence,
  provider: task.provider,
  source: task.source,
  outcome: task.outcome,
  waiting: waitingView(task),
  parentId: task.parentId,
  replayOf: task.replayOf,
  reverts: task.reverts,
  cancelRequested: task.cancelRequestedAtMs !== null,
  createdBy: task.createdBy,
  createdAtMs: task.createdAtMs,
  updatedAtMs: task.updatedAtMs,
  finishedAtMs: task.finishedAtMs,
});

function waitingView(task: Task): TaskView["waiting"] {
  const { status, notBeforeMs, notBeforeReason, waiting } = task;
  if (status === "waiting_input" && waiting !== null)
    return { reason: `${waiting.kind}: ${waiting.text}`, untilMs: waiting.expiresAtMs };
  if ((status !== "queued" && status !== "parked") || notBeforeMs === null) return null;
  return { reason: notBeforeReason ?? "waiting", untilMs: notBeforeMs };
}

export const taskDetail = (story: TaskStory, prompt: string): TaskDetail => ({
  ...taskView(story.task),
  prompt,
  execution: story.execution && executionView(story.execution),
  patch: story.patch && patchView(story.patch),
  commit:
    story.patch?.status === "delivered" && story.patch.commitSha !== null
      ? { branch: branchOfOrder(story.task.orderId), sha: story.patch.commitSha }
      : null,
  log: story.log.map(({ atMs, actor, action, message }) => ({ atMs, actor, action, message })),
});

const executionView = (execution: Execution): TaskDetail["execution"] => ({
  id: execution.id,
  fence: execution.fence,
  provider: execution.provider,
  factory: execution.config.factory?.value ?? null,
  status: execution.status,
  model: execution.config.model.value,
  sessionId: execution.sessionId,
  durationMs: execution.durationMs,
  usage: execution.usage,
  events: execution.events,
  outcome: execution.outcome,
});

const patchView = (patch: PatchSetRecord): TaskDetail["patch"] => ({
  id: patch.id,
  status: patch.status,
  baseCommit: patch.baseCommit,
  files: patch.files,
  operations: patch.operations,
  treeId: patch.treeId,
  validation: patch.validation,
  faults: patch.faults,
});
