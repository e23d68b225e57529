import { waitsForOrder } from "../../../orchestrator/worker/domain/dispatch.ts";
import { stands } from "../../../orchestrator/worker/domain/guards.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type {
  AcceptedTask,
  Guarded,
  TaskFilter,
  TaskStore,
} from "../../../orchestrator/worker/domain/ports/taskStore.ts";
import type { Task } from "../../../orchestrator/worker/domain/task.ts";
import { claim, isHeld, liveCounts } from "./claim.ts";
import { guardedTask } from "./guards.ts";
import { byText } from "./put.ts";
import { sweepReads } from "./sweepReads.ts";
import { idKey, orderKey, type Tables, taskKey } from "./tables.ts";
import { findContext, findStory } from "./taskReads.ts";
import { waitingWrites } from "./waitingWrites.ts";
import { changeTask, checkNewTask, commit, insertTask, lost, writeTaskLog } from "./writes.ts";

/** Tasks in memory. */
export const memoryTaskStore = (tables: Tables, ids: Ids): TaskStore => ({
  ...sweepReads(tables),
  ...waitingWrites(tables, ids),

  async findForAccept(organizationId, projectId, key) {
    return {
      project: tables.projects.get(idKey(organizationId, projectId ?? "")) ?? null,
      replay: tables.idempotency.get(idKey(organizationId, key ?? "")) ?? null,
    };
  },

  accept: async (input) => accept(tables, ids, input),
  claim: async (input) => claim(tables, ids, input),
  find: async (ref) => tables.tasks.get(taskKey(ref))?.task ?? null,
  findContext: async (ref) => findContext(tables, ref),
  findStory: async (ref) => findStory(tables, ref),
  list: async (filter) => listTasks(tables, filter),
  liveCounts: async (at) => liveCounts(tables, at),
  forgetExpiredKeys: async (nowMs, limit) => forgetExpiredKeys(tables, nowMs, limit),
  orderIsBusy: async (task) => isHeld(tables, { ...task, taskId: task.id }, task.parentId !== null),

  async nextOfOrder({ organizationId, projectId, orderId }) {
    const members = tables.index.ofOrder.get(orderKey(organizationId, projectId, orderId));
    const [first] = [...(members?.values() ?? [])]
      .filter(({ task }) => task.status === "queued" && task.notBeforeReason === waitsForOrder)
      .map(({ task }) => task.id)
      .sort();
    return first === undefined ? null : { organizationId, taskId: first };
  },

  async delay(ref, { fence, untilMs, reason, nowMs }) {
    const row = guardedTask(tables, { ...ref, fence }, "claim");
    if (row === null) return lost;
    const notBefore = { notBeforeMs: untilMs, notBeforeReason: reason };
    const delays = row.task.delays + 1;
    changeTask(tables, row, { ...notBefore, delays, updatedAtMs: nowMs }, untilMs);
    return commit(tables);
  },

  async prefer(ref, preferredProvider, nowMs, log) {
    const row = guardedTask(tables, ref, "claim");
    if (row === null) return lost;
    changeTask(tables, row, { preferredProvider, allowFallback: false, updatedAtMs: nowMs });
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },

  async requestCancel(ref, nowMs, log) {
    const row = guardedTask(tables, ref, "cancel_confirmed", { refuseCancelled: true });
    if (row === null) return lost;
    changeTask(tables, row, { cancelRequestedAtMs: nowMs, updatedAtMs: nowMs }, nowMs);
    if (stands("cancel_child")) cancelDescendants(tables, row.task, nowMs);
    writeTaskLog(tables, ids, ref, nowMs, log);
    return commit(tables);
  },
});

/** Those that remediate a task, however deep: they are in its order, and below it. */
function cancelDescendants(tables: Tables, root: Task, nowMs: number): void {
  if (root.status !== "remediating") return;
  const order = orderKey(root.organizationId, root.projectId, root.orderId);
  for (const row of [...(tables.index.ofOrder.get(order)?.values() ?? [])])
    if (isBelow(row.task, root))
      changeTask(tables, row, { cancelRequestedAtMs: nowMs, updatedAtMs: nowMs }, nowMs);
}

const isBelow = (task: Task, root: Task): boolean =>
  task.parentId !== null &&
  task.depth > root.depth &&
  task.cancelRequestedAtMs === null &&
  task.status !== "delivering";

function accept(tables: Tables, ids: Ids, input: AcceptedTask): Guarded {
  const { task, idempotency } = input;
  const key = idKey(task.organizationId, idempotency?.key ?? "");
  const held = idempotency === null ? undefined : tables.idempotency.get(key);
  const taken = held !== undefined && held.expiresAtMs > task.createdAtMs;
  if (taken && stands("idempotency_key")) return lost;
  checkNewTask(tables, input);
  if (idempotency !== null && !taken)
    tables.idempotency.set(key, { organizationId: task.organizationId, ...idempotency });
  insertTask(tables, ids, input);
  return commit(tables);
}

function forgetExpiredKeys(tables: Tables, nowMs: number, limit: number): number {
  const expired = [...tables.idempotency]
    .filter(([, { expiresAtMs }]) => expiresAtMs <= nowMs)
    .sort(([a, one], [b, other]) => one.expiresAtMs - other.expiresAtMs || byText(a, b))
    .slice(0, limit);
  for (const [key] of expired) tables.idempotency.delete(key);
  if (expired.length > 0) commit(tables);
  return expired.length;
}

function listTasks(tables: Tables, filter: TaskFilter): Task[] {
  const found: Task[] = [];
  for (const { task } of tables.tasks.values()) if (isWanted(task, filter)) found.push(task);
  return found.sort((a, b) => byText(b.id, a.id)).slice(0, filter.limit);
}

const isWanted = (task: Task, filter: TaskFilter): boolean =>
  task.organizationId === filter.organizationId &&
  (filter.status === undefined || task.status === filter.status) &&
  (filter.projectId === undefined || task.projectId === filter.projectId) &&
  (filter.before === undefined || task.id < filter.before);
