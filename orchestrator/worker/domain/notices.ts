import type { Ids } from "./ports/ids.ts";
import type { FinalTaskStatus } from "./states.ts";
import { branchOfOrder, type Notice, type Outcome, type Task } from "./task.ts";

/** The messages that tell of a task's end: one for the inbox, one for the callback if there is one; none for a child. */
export function noticesOfEnd(
  ids: Ids,
  task: Task,
  status: FinalTaskStatus,
  outcome: Outcome,
  commitSha: string | null,
  nowMs: number,
): Notice[] {
  // A child's end is told as its parent's.
  if (task.parentId !== null) return [];
  const channels = [
    { channel: "inbox" as const, target: null },
    ...(task.callbackUrl === null
      ? []
      : [{ channel: "callback" as const, target: task.callbackUrl }]),
  ];
  return channels.map(({ channel, target }) => ({
    organizationId: task.organizationId,
    id: ids.next("ntc"),
    dedupeKey: `${task.id}.${task.fence}.${status}.${channel}`,
    taskId: task.id,
    channel,
    target,
    attempts: 0,
    body: {
      taskId: task.id,
      projectId: task.projectId,
      orderId: task.orderId,
      status,
      outcome,
      commit: commitSha === null ? null : { branch: branchOfOrder(task.orderId), sha: commitSha },
      atMs: nowMs,
    },
  }));
}
