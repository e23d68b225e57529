import { expect } from "vitest";
import type { AuditStore } from "../../orchestrator/worker/domain/ports/auditStore.ts";
import type { DeadLetterStore } from "../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { ExecutionStore } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import type { NoticeStore } from "../../orchestrator/worker/domain/ports/noticeStore.ts";
import type { PatchSetStore } from "../../orchestrator/worker/domain/ports/patchSetStore.ts";
import type { ProjectStore } from "../../orchestrator/worker/domain/ports/projectStore.ts";
import type { ProviderConfigStore } from "../../orchestrator/worker/domain/ports/providerConfigStore.ts";
import type { TaskStore } from "../../orchestrator/worker/domain/ports/taskStore.ts";
import type { Task, Waiting } from "../../orchestrator/worker/domain/task.ts";
import { aClaim, aLogEntry, aNewTask, aNotice, aProject, aSettlement, aTask } from "../builders.ts";

/** What the suites of the stores share: the stores themselves, and one task's way through them. */
export type Stores = {
  tasks: TaskStore;
  executions: ExecutionStore;
  patchSets: PatchSetStore;
  projects: ProjectStore;
  notices: NoticeStore;
  deadLetters: DeadLetterStore;
  providerConfigs: ProviderConfigStore;
  audit: AuditStore;
  addOrganization(id: string): Promise<void>;
  /** Every row there is, in one text: equal texts mean that nothing has changed. */
  dump(): Promise<string>;
};
export type OpenStores = () => Promise<Stores>;

export const task = aTask();
export const ref = { organizationId: "org_a", taskId: "task_1" };
export const attempt = { ...ref, fence: 1 };
export const log = aLogEntry();
export const sha = "d".repeat(40);
export const treeId = "7".repeat(40);
export const outcome = { code: "delivered", message: "Delivered." } as const;
export const patchRef = { ...attempt, patchSetId: "ps_task_1" };

/** Empty stores with one organization and one project. */
export async function openWithProject(open: OpenStores): Promise<Stores> {
  const stores = await open();
  await stores.addOrganization("org_a");
  await stores.projects.create(aProject(), log);
  return stores;
}

export const steps = [
  "queued",
  "assigned",
  "starting",
  "running",
  "patching",
  "validating",
  "delivering",
  "completed",
] as const;
export type StepName = (typeof steps)[number];

/** The writes of a happy history, by the state that each leads to. */
export const way = (
  stores: Stores,
): Record<StepName, (of?: Task) => Promise<{ kind: string }>> => ({
  queued: (of = task) => stores.tasks.accept(aNewTask(of)),
  assigned: (of = task) => stores.tasks.claim(aClaim(of)),
  starting: () => stores.executions.enterStarting(attempt, 3_000),
  running: () => stores.executions.markRunning(attempt, 3_500, log),
  patching: (of = task) => stores.executions.settle(aSettlement(of)),
  validating: () => stores.patchSets.beginValidation(patchRef, { treeId, nowMs: 4_500, log }),
  delivering: () =>
    stores.patchSets.beginDelivery(patchRef, {
      commitSha: sha,
      committed,
      needsApproval: false,
      validation: { status: "passed", commands: [] },
      nowMs: 4_600,
      log,
    }),
  completed: (of = task) =>
    stores.patchSets.deliver(patchRef, {
      projectId: of.projectId,
      orderId: of.orderId,
      commitSha: sha,
      outcome,
      notices: [aNotice(of)],
      nowMs: 4_700,
      log,
    }),
});

/** Takes the task as far as one of these states. */
export async function reach(stores: Stores, state: StepName, of: Task = task): Promise<void> {
  for (const name of steps.slice(0, steps.indexOf(state) + 1))
    expect(await way(stores)[name](of)).toMatchObject({ kind: "done" });
}

export const question: Waiting = {
  kind: "question",
  text: "Which of the two?",
  sinceMs: 4_000,
  expiresAtMs: 90_000,
};
export const approval: Waiting = { ...question, kind: "approval", text: "Shall it go in?" };

export const asking = {
  reasons: [{ code: "too_large" as const, file: null, message: "Many lines." }],
  validation: { status: "passed" as const, commands: [] },
  waiting: approval,
};
/** What a person approves, and what is committed: the set of `aSettlement` and the tree of its way. */
export const committed = { baseCommit: "b".repeat(40), ontoCommit: null, treeId };
export const approved = { ...committed, contentKey: "c".repeat(64) };

/** The end of an attempt whose agent asks a person: its session is kept, its process is gone. */
export const anAsking = (of: Task = task) =>
  aSettlement(of, {
    executionEvent: "suspend",
    taskEvent: "ask",
    patch: null,
    waiting: question,
    sweepAtMs: question.expiresAtMs,
  });

/** The task waits for an answer; its attempt is suspended. */
export async function reachQuestion(stores: Stores): Promise<void> {
  await reach(stores, "running");
  expect(await stores.executions.settle(anAsking())).toEqual({ kind: "done" });
}

/** The task waits for a person to approve its verified patch set. */
export async function reachApproval(stores: Stores): Promise<void> {
  await reach(stores, "validating");
  const asked = { ...asking, nowMs: 4_550, log };
  expect(await stores.patchSets.awaitApproval(patchRef, asked)).toEqual({ kind: "done" });
}

/** The task waits for a child that begins where its patch set met a conflict. */
export async function reachRemediation(stores: Stores, child: Task): Promise<void> {
  await reach(stores, "patching");
  expect(await remediate(stores, child)).toEqual({ kind: "done" });
}

export const remediate = (stores: Stores, child: Task) =>
  stores.patchSets.end(patchRef, {
    patchEvent: "find_conflict",
    taskEvent: "remediate",
    child: aNewTask(child, { sweepAtMs: 650_000 }),
    faults: [],
    validation: null,
    outcome: { code: "conflict", message: "" },
    notices: [],
    nowMs: 4_500,
    log,
  });

export const sweptAt = (stores: Stores, atMs: number) => stores.tasks.dueForSweep(atMs, 10);

/** user:bob approves what waits, or what he takes it for. */
export const approve = (stores: Stores, changes: Partial<typeof approved> = {}) =>
  stores.patchSets.approve(patchRef, {
    by: "user:bob",
    approved: { ...approved, ...changes },
    nowMs: 6_000,
    sweepAtMs: 99_000,
    log,
  });

export const endWaiting = (stores: Stores, event: "escalate" | "cancel_waiting", fence?: number) =>
  stores.tasks.endWaiting(ref, {
    event,
    ...(fence === undefined ? {} : { fence }),
    outcome: { code: event === "escalate" ? "input_expired" : "cancelled", message: "" },
    notices: [aNotice(task)],
    nowMs: 7_000,
    log,
  });
