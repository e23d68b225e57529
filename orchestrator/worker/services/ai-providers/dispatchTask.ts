import type { RouteDecision } from "../../../../shared/contracts/provider.ts";
import { capacityDelayMs } from "../../domain/backoff.ts";
import {
  type CapacityReason,
  type Caps,
  fullCap,
  planDispatch,
  waitsForOrder,
} from "../../domain/dispatch.ts";
import { stands } from "../../domain/guards.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { OutcomeCode } from "../../domain/outcome.ts";
import type { Placement } from "../../domain/placement.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { Supervisors, TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskContext, TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Assignment, Project, Task } from "../../domain/task.ts";
import { systemActor } from "../../domain/tellState.ts";
import type { CandidateDeps } from "./candidates.ts";
import { resolveConfig } from "./resolveConfig.ts";
import type { Candidate } from "./router.ts";
import { routeTask } from "./routeTask.ts";

export type DispatchDeps = CandidateDeps & {
  tasks: TaskStore;
  supervisors: Supervisors;
  clock: Clock;
  ids: Ids;
  log: Log;
  settings: Pick<Settings, "maxLiveExecutions" | "maxLivePerOrganization" | "resendAfterMs">;
};

export type DispatchAnswer = {
  kind: "started" | "left" | "delayed" | "escalated" | "unknown_task" | "waits";
  because: string;
};

/**
 * Looks at a task that a message points at: routes it, finds room, claims it, hands it to its supervisor. It
 * never waits for an agent. Throws only for infrastructure, so that the queue delivers the message again.
 */
export async function dispatchTask(deps: DispatchDeps, ref: TaskRef): Promise<DispatchAnswer> {
  const context = await deps.tasks.findContext(ref);
  if (context === null) return { kind: "unknown_task", because: "there is no such task" };
  const plan = planDispatch(context.task, context.execution, deps.clock.nowMs());
  switch (plan.kind) {
    case "leave":
      return { kind: "left", because: plan.because };
    case "start_again":
      await handOver(deps, ref, plan.fence);
      return { kind: "started", because: plan.because };
    case "tend":
      return { kind: "waits", because: `the task is ${context.task.status}` };
    case "give_up":
      return escalate(deps, context.task, "deadline_passed", plan.because);
    case "route":
      await letOthersGoFirst(deps, ref);
      return routeAndClaim(deps, ref, context);
  }
}

/**
 * The slot that this message found may be another's turn: the organization that was served longest ago has its
 * task claimed first. Whoever has many tasks, and so many messages, gets no more than its share.
 */
async function letOthersGoFirst(deps: DispatchDeps, ref: TaskRef): Promise<void> {
  if (!stands("fair_turn")) return;
  const [next] = await deps.tasks.nextWaiting(deps.clock.nowMs(), 1);
  if (next === undefined || next.organizationId === ref.organizationId) return;
  const context = await deps.tasks.findContext(next);
  if (context === null) return;
  const plan = planDispatch(context.task, context.execution, deps.clock.nowMs());
  if (plan.kind === "route") await routeAndClaim(deps, next, context);
}

/** A supervisor that knows a higher attempt has no use for this one; the rows say which is right. */
async function handOver(deps: DispatchDeps, ref: TaskRef, fence: number): Promise<void> {
  const answer = await deps.supervisors.start(ref, fence);
  if (answer.kind === "stale")
    deps.log.error("dispatch.stale_start", { ...ref, fence, known: answer.fence });
}

async function routeAndClaim(
  deps: DispatchDeps,
  ref: TaskRef,
  context: TaskContext,
): Promise<DispatchAnswer> {
  const { task } = context;
  const { placement, decision, candidates } = await routeTask(deps, context);
  if (decision.kind === "none") {
    if (decision.transient) return delay(deps, task, "provider_unavailable", decision.because);
    const code = placement.kind === "not_registered" ? "factory_not_registered" : "no_provider";
    return escalate(deps, task, code, decision.because, decision);
  }

  const chosen = takerOf(task, decision.provider, candidates);
  if (chosen === null)
    return delay(deps, task, "provider_unavailable", "the chosen provider went away");
  const claimed = await claim(deps, context, placement, decision, chosen);
  if (claimed.kind === "lost") return afterLostClaim(deps, context, chosen);
  await handOver(deps, ref, task.fence + 1);
  return { kind: "started", because: `${decision.provider}: ${decision.because}` };
}

/** Who takes the task, as the claim needs to know it. */
type Taker = Pick<Candidate, "name" | "config" | "credential"> & {
  type: Assignment["providerType"];
};

function takerOf({ reverts }: Task, name: string, candidates: readonly Candidate[]): Taker | null {
  if (reverts !== null) return { name, type: "internal", config: null, credential: null };
  const found = candidates.find((candidate) => candidate.name === name);
  if (found === undefined || found.credential === null) return null;
  return { ...found, type: found.definition.type };
}

function claim(
  deps: DispatchDeps,
  { task, project }: TaskContext,
  placement: Placement,
  decision: Extract<RouteDecision, { kind: "assign" }>,
  chosen: Taker,
) {
  const nowMs = deps.clock.nowMs();
  const config = resolveConfig(task, project, placement, chosen);
  const keyName = config.credential.value;
  return deps.tasks.claim({
    ref: { organizationId: task.organizationId, taskId: task.id },
    fence: task.fence,
    assignment: {
      id: deps.ids.next("asg"),
      provider: chosen.name,
      providerType: chosen.type,
      decision,
    },
    executionId: deps.ids.next("exec"),
    config,
    projectId: task.projectId,
    orderId: task.orderId,
    isChild: task.parentId !== null,
    caps: capsOf(deps, project, chosen),
    nowMs,
    sweepAtMs: nowMs + deps.settings.resendAfterMs,
    log: {
      actor: systemActor,
      action: "task.assigned",
      message: `Attempt ${task.fence + 1} goes to ${chosen.name}${whereOf(placement)}: ${decision.because}.`,
      details: { agent: chosen.name, model: config.model.value, keyName, decision },
    },
  });
}

const whereOf = (placement: Placement): string => {
  if (placement.kind !== "factory") return "";
  const why = placement.from === "project" ? "the project names it" : "the task is its own";
  return ` in the containers of ${placement.factory.factory} (${why})`;
};

const capsOf = (
  { settings }: Pick<DispatchDeps, "settings">,
  project: Project,
  { config }: Taker,
): Caps => ({
  all: settings.maxLiveExecutions,
  provider: config?.rateLimits.maxLive ?? settings.maxLiveExecutions,
  organization: settings.maxLivePerOrganization,
  project: project.settings.maxLive ?? settings.maxLivePerOrganization,
});

/** A claim is lost to another delivery of the message, to a cancel, to its order, or to full slots; the last two wait. */
async function afterLostClaim(
  deps: DispatchDeps,
  { task: { organizationId, id, projectId, fence }, project }: TaskContext,
  chosen: Taker,
): Promise<DispatchAnswer> {
  const task = await deps.tasks.find({ organizationId, taskId: id });
  if (task === null || task.status !== "queued" || task.fence !== fence)
    return { kind: "left", because: "another delivery of the message was faster" };
  if (await deps.tasks.orderIsBusy(task))
    return delay(deps, task, waitsForOrder, "an earlier task of its order is at work");
  const live = await deps.tasks.liveCounts({ organizationId, projectId, provider: chosen.name });
  const reason = fullCap(live, capsOf(deps, project, chosen));
  return delay(deps, task, reason, becauseOfCap[reason]);
}

const becauseOfCap: Record<CapacityReason, string> = {
  no_capacity: "all slots are taken",
  organization_capacity: "the organization has as many tasks at work as it may",
  project_capacity: "the project has as many tasks at work as it may",
};

async function delay(
  deps: DispatchDeps,
  task: Task,
  reason: string,
  because: string,
): Promise<DispatchAnswer> {
  const nowMs = deps.clock.nowMs();
  const untilMs = nowMs + capacityDelayMs(task.delays);
  const ref = { organizationId: task.organizationId, taskId: task.id };
  await deps.tasks.delay(ref, { fence: task.fence, untilMs, reason, nowMs });
  deps.log.info("task.delayed", { ...ref, reason, because, untilMs });
  return { kind: "delayed", because };
}

async function escalate(
  deps: DispatchDeps,
  task: Task,
  code: OutcomeCode,
  because: string,
  decision?: RouteDecision,
): Promise<DispatchAnswer> {
  const nowMs = deps.clock.nowMs();
  const outcome = { code, message: `No provider took the task: ${because}.` };
  await deps.tasks.endWaiting(
    { organizationId: task.organizationId, taskId: task.id },
    {
      event: "escalate",
      fence: task.fence,
      outcome,
      notices: noticesOfEnd(deps.ids, task, "escalated", outcome, null, nowMs),
      nowMs,
      log: {
        actor: systemActor,
        action: "task.escalated",
        message: outcome.message,
        ...(decision === undefined ? {} : { details: { decision } }),
      },
    },
  );
  return { kind: "escalated", because };
}
