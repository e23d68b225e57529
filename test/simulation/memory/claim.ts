import type { LiveCounts } from "../../../orchestrator/worker/domain/dispatch.ts";
import { stands } from "../../../orchestrator/worker/domain/guards.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { Claim, Guarded } from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import {
  orderHoldingStatuses,
  type TaskStatus,
  taskTransitions,
} from "../../../orchestrator/worker/domain/states.ts";
import { guardedTask } from "./guards.ts";
import { putAssignment, putExecution } from "./put.ts";
import { attemptKey, orderKey, type Tables, taskKey } from "./tables.ts";
import { changeTask, commit, lost, storeError, writeTaskLog } from "./writes.ts";

/** Takes a queued task: raises the fence and writes assignment and execution, if the caps leave room. */
export function claim(tables: Tables, ids: Ids, input: Claim): Guarded {
  const { ref, assignment, nowMs } = input;
  const fence = input.fence + 1;
  const row = guardedTask(
    tables,
    { organizationId: ref.organizationId, taskId: ref.taskId, fence: input.fence },
    "claim",
    { refuseCancelled: true, guard: "claim_once" },
  );
  if (row === null || !hasRoom(tables, input)) return lost;
  const member = { ...ref, projectId: input.projectId, orderId: input.orderId };
  if (stands("order_in_turn") && isHeld(tables, member, input.isChild)) return lost;
  const key = attemptKey({ ...ref, fence });
  if (tables.assignments.has(key)) throw storeError("UNIQUE constraint failed: assignments");

  changeTask(
    tables,
    row,
    {
      status: taskTransitions.claim.to,
      fence,
      provider: assignment.provider,
      notBeforeMs: null,
      notBeforeReason: null,
      delays: 0,
      waiting: null,
      updatedAtMs: nowMs,
    },
    input.sweepAtMs,
  );
  writeAttempt(tables, input, fence);
  const organization = tables.organizations.get(ref.organizationId);
  if (organization !== undefined)
    tables.organizations.set(organization.id, { id: organization.id, lastClaimAtMs: nowMs });
  writeTaskLog(tables, ids, ref, nowMs, input.log);
  return commit(tables);
}

/** The assignment in the place of the one before, and its execution. */
function writeAttempt(tables: Tables, input: Claim, fence: number): void {
  const { assignment, nowMs } = input;
  const { organizationId, taskId } = input.ref;
  const active = tables.index.activeAssignment.get(taskKey(input.ref));
  const before = active === undefined ? undefined : tables.assignments.get(active);
  if (before !== undefined) putAssignment(tables, { ...before, status: "superseded" });
  putAssignment(tables, {
    ...assignment,
    organizationId,
    taskId,
    fence,
    status: "active",
    executionId: input.executionId,
    createdAtMs: nowMs,
  });
  putExecution(tables, {
    execution: {
      organizationId,
      taskId,
      fence,
      id: input.executionId,
      provider: assignment.provider,
      status: "pending",
      config: input.config,
      sessionId: null,
      usage: null,
      events: 0,
      outcome: null,
      createdAtMs: nowMs,
      settledAtMs: null,
      durationMs: null,
    },
    projectId: input.projectId,
    startedAtMs: null,
    output: null,
    patchData: null,
  });
}

function hasRoom(tables: Tables, { ref, projectId, assignment, caps }: Claim): boolean {
  const { organizationId } = ref;
  const live = liveCounts(tables, { organizationId, projectId, provider: assignment.provider });
  return (
    (live.all < caps.all || !stands("claim_cap_all")) &&
    (live.provider < caps.provider || !stands("claim_cap_provider")) &&
    (live.organization < caps.organization || !stands("claim_cap_organization")) &&
    (live.project < caps.project || !stands("claim_cap_project"))
  );
}

/** How many executions are live beside which a task would run. */
export function liveCounts(
  tables: Tables,
  at: { organizationId: string; projectId: string; provider: string },
): LiveCounts {
  const { liveExecutions } = tables.index;
  const counts = { all: liveExecutions.size, provider: 0, organization: 0, project: 0 };
  for (const { execution, projectId } of liveExecutions.values()) {
    if (execution.organizationId !== at.organizationId) continue;
    counts.organization += 1;
    if (projectId === at.projectId) counts.project += 1;
    if (execution.provider === at.provider) counts.provider += 1;
  }
  return counts;
}

/** Whether another task of the order holds it. A child may start while its parents wait for it. */
export function isHeld(
  tables: Tables,
  member: { organizationId: string; projectId: string; orderId: string; taskId: string },
  isChild: boolean,
): boolean {
  const key = orderKey(member.organizationId, member.projectId, member.orderId);
  const others = tables.index.ofOrder.get(key);
  if (others === undefined) return false;
  for (const { task } of others.values())
    if (task.id !== member.taskId && holds(task.status, isChild)) return true;
  return false;
}

const holds = (status: TaskStatus, isChild: boolean): boolean =>
  (orderHoldingStatuses as readonly TaskStatus[]).includes(status) &&
  !(isChild && status === "remediating");
