import type { Settlement } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import type { TaskStatus } from "../../orchestrator/worker/domain/states.ts";
import { aClaim, aNewTask, aProject, aSettlement, aTask } from "../builders.ts";
import { patchOps } from "./storePatchOps.ts";
import {
  log,
  noticesOf,
  type Op,
  outcome,
  pick,
  type Scene,
  soon,
  waitingOf,
} from "./storeScene.ts";

const settlementOf = (scene: Scene, changes: Partial<Settlement>): Settlement => {
  const { task, ref, n, nowMs } = scene;
  const patch = aSettlement(task).patch;
  const id = pick([`ps_${task.id}_${ref.fence}`, `ps_${task.id}`], n % 5 === 0 ? 1 : 0);
  const contentKey = n % 5 === 1 ? "same" : `${task.id}-${ref.fence}`;
  return aSettlement(task, {
    ref,
    patch: patch && changes.patch !== null ? { ...patch, fence: ref.fence, id, contentKey } : null,
    notices: n % 4 === 0 ? noticesOf(scene) : [],
    sweepAtMs: soon(scene),
    nowMs,
    ...(changes.patch === null ? changes : {}),
  });
};
const settle =
  (
    executionEvent: Settlement["executionEvent"],
    taskEvent: Settlement["taskEvent"],
    more: (scene: Scene) => Partial<Settlement> = () => ({}),
  ): Op =>
  (stores, scene) =>
    stores.executions.settle(
      settlementOf(scene, { executionEvent, taskEvent, patch: null, outcome, ...more(scene) }),
    );
const notBefore = (scene: Scene) => ({
  notBeforeMs: soon(scene),
  notBeforeReason: pick(
    ["quota", "order_busy", "no_capacity", "organization_capacity", "project_capacity"],
    scene.n,
  ),
});

/** Writes that move a task on, each by its name. */
export const ops = {
  accept: (s, { task, nowMs, n }) =>
    s.tasks.accept(
      aNewTask(
        { ...task, createdAtMs: nowMs, updatedAtMs: nowMs },
        {
          sweepAtMs: nowMs + n,
          idempotency:
            n % 2 === 0
              ? null
              : { key: `k${n % 3}`, requestSha256: "r", answer: `${n}`, expiresAtMs: nowMs + 40 },
        },
      ),
    ),
  claim: (s, { task, ref, nowMs, n }) => {
    const provider = pick(["gemini", "codex"], n);
    const base = aClaim(task, { fence: ref.fence, nowMs, sweepAtMs: nowMs + n });
    const cap = pick([9, 9, 9, 9, 2, 1], n);
    const caps = { all: 9, provider: 9, organization: 9, project: 9 };
    const full = pick(["all", "provider", "organization", "project"] as const, n >> 3);
    return s.tasks.claim({
      ...base,
      assignment: { ...base.assignment, id: `asg_${nowMs}`, provider },
      caps: { ...caps, [full]: cap },
    });
  },
  delay: (s, scene) =>
    s.tasks.delay(scene.ref, {
      fence: scene.ref.fence,
      untilMs: soon(scene),
      reason: notBefore(scene).notBeforeReason,
      nowMs: scene.nowMs,
    }),
  prefer: (s, { ref, nowMs }) => s.tasks.prefer(ref, "codex", nowMs, log),
  park: (s, scene) =>
    s.tasks.park(scene.ref, {
      fence: scene.ref.fence,
      untilMs: soon(scene),
      reason: "quota",
      nowMs: scene.nowMs,
      log,
    }),
  unpark: (s, { ref, nowMs, n }) =>
    s.tasks.unpark(ref, { fence: ref.fence, nowMs, sweepAtMs: nowMs + n, log }),
  answer: (s, { ref, nowMs, n }) =>
    s.tasks.answer(ref, {
      fence: ref.fence,
      resume: { sessionId: n % 2 === 0 ? null : "session-1", answer: `${n}` },
      deadlineAtMs: nowMs + n,
      nowMs,
      sweepAtMs: nowMs + n,
      log,
    }),
  endWaiting: (s, scene) =>
    s.tasks.endWaiting(scene.ref, {
      event: pick(["escalate", "cancel_waiting"], scene.n),
      ...(scene.n % 3 === 0 ? {} : { fence: scene.ref.fence }),
      outcome,
      notices: noticesOf(scene),
      nowMs: scene.nowMs,
      log,
    }),
  endParent: (s, scene) =>
    s.tasks.endParent(scene.ref, {
      event: pick(["adopt_child", "fail", "escalate", "cancel_confirmed"], scene.n),
      outcome,
      notices: noticesOf(scene),
      nowMs: scene.nowMs,
      log,
    }),
  requestCancel: (s, { ref, nowMs }) => s.tasks.requestCancel(ref, nowMs, log),
  postponeSweep: (s, scene) => s.tasks.postponeSweep(scene.ref, soon(scene), scene.n),
  forgetExpiredKeys: (s, { nowMs, n }) => s.tasks.forgetExpiredKeys(nowMs, n % 3),
  enterStarting: (s, { ref, nowMs }) => s.executions.enterStarting(ref, nowMs),
  markRunning: (s, { ref, nowMs }) => s.executions.markRunning(ref, nowMs, log),
  settlePatch: (s, scene) => s.executions.settle(settlementOf(scene, {})),
  settleNoPatch: settle("succeed", "finish_without_patch"),
  settleRetry: settle("lose", "retry", notBefore),
  settlePark: settle("fail", "park", notBefore),
  settleAsk: settle("suspend", "ask", (scene) => ({ waiting: waitingOf(scene), outcome: null })),
  settleFail: settle("time_out", "fail"),
  settleRemediate: settle("fail", "remediate", ({ task: { id: parentId, ...of } }) => ({
    child: aNewTask(aTask({ ...of, id: `${parentId}_child`, parentId, depth: 1 })),
  })),
  settleEscalate: settle("fail", "escalate"),
  settleCancel: settle("cancel", "cancel_confirmed"),
  ...patchOps,
  recordDeadLetter: (s, scene) =>
    s.deadLetters.record(
      {
        organizationId: scene.ref.organizationId,
        taskId: scene.ref.taskId,
        id: `dead_${scene.n % 8}`,
        messageId: `message_${scene.n % 9}`,
        status: scene.n % 2 === 0 ? "moot" : "open",
        because: "",
        replayedAs: null,
        replayedBy: null,
        createdAtMs: scene.nowMs,
      },
      {
        end:
          scene.n % 2 === 0
            ? null
            : {
                attempt: scene.task.status === "assigned" ? scene.ref : null,
                outcome,
                notices: noticesOf(scene),
              },
        nowMs: scene.nowMs,
        log,
      },
    ),
  replay: (s, { task, nowMs, n }) =>
    s.deadLetters.replay(task.organizationId, `dead_${n % 8}`, {
      task: aNewTask(aTask({ ...task, id: `task_${pick([5, 6, 0], n)}`, replayOf: task.id })),
      by: "user:ada",
      nowMs,
      log,
    }),
  markSent: async (s, { task, nowMs }) => {
    const [first] = await s.notices.due(nowMs, 1);
    await s.notices.markSent(task.organizationId, first?.id ?? "ntc_none", nowMs);
    return first;
  },
  postpone: async (s, scene) => {
    const [first] = await s.notices.due(scene.nowMs, 1);
    const nextAtMs = scene.n % 3 === 0 ? null : soon(scene);
    await s.notices.postpone(scene.task.organizationId, first?.id ?? "", scene.n, nextAtMs);
    return first;
  },
  createProject: (s, { task, n }) =>
    s.projects.create(
      aProject({ organizationId: task.organizationId, id: `proj_${n % 5}`, name: `name-${n % 4}` }),
      log,
    ),
  putConfig: (s, { task, nowMs, n }) =>
    s.providerConfigs.put(
      pick([task.organizationId, task.organizationId, "org_x"], n),
      pick(["gemini", "codex"], n),
      {
        enabled: n % 2 === 0,
        apiEndpoint: null,
        defaultModel: null,
        rateLimits: {},
        costPerToken: {},
      },
      nowMs,
      log,
    ),
} as const satisfies Record<string, Op>;
export type OpName = keyof typeof ops;

/** What a task of this state may do next: picking from these alone brings it far. */
export const nextOps: Record<TaskStatus, readonly [OpName, ...OpName[]]> = {
  queued: ["claim", "claim", "claim", "claim", "delay", "park", "recordDeadLetter"],
  assigned: ["enterStarting", "markRunning", "markRunning"],
  running: [
    "settlePatch",
    "settlePatch",
    "settlePatch",
    "settleAsk",
    "settleRetry",
    "settleNoPatch",
    "settleRemediate",
  ],
  waiting_input: [
    "answer",
    "approve",
    "approve",
    "approve",
    "endWaiting",
    "recordDeadLetter",
    "refuse",
    "refuse",
  ],
  parked: ["unpark"],
  remediating: ["postponeSweep", "requestCancel", "delay", "endParent"],
  patching: ["beginValidation", "remediate"],
  validating: [
    "beginDelivery",
    "beginDelivery",
    "awaitApproval",
    "awaitApproval",
    "awaitApproval",
    "endPatch",
    "findApplied",
  ],
  delivering: ["deliver", "bringOnto"],
  completed: ["accept"],
  failed: ["recordDeadLetter"],
  cancelled: ["replay"],
  escalated: ["replay"],
};
