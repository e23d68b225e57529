import type { RouteDecision } from "../../../../shared/contracts/provider.ts";
import { capacityDelayMs } from "../../domain/backoff.ts";
import { planDispatch, waitsForCapacity } from "../../domain/dispatch.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { OutcomeCode } from "../../domain/outcome.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { Supervisors, TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskContext, TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Task } from "../../domain/task.ts";
import { systemActor } from "../../domain/tellState.ts";
import { type CandidateDeps, lookAtCandidates } from "./candidates.ts";
import { resolveConfig } from "./resolveConfig.ts";
import { type Candidate, route } from "./router.ts";

export type DispatchDeps = CandidateDeps & {
  tasks: TaskStore;
  supervisors: Supervisors;
  clock: Clock;
  ids: Ids;
  log: Log;
  settings: Pick<Settings, "maxLiveExecutions" | "resendAfterMs">;
};

export type DispatchAnswer = {
  kind: "started" | "left" | "delayed" | "escalated" | "unknown_task";
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
      await deps.supervisors.start(ref, plan.fence);
      return { kind: "started", because: plan.because };
    case "give_up":
      return escalate(deps, context.task, "deadline_passed", plan.because);
    case "route":
      return routeAndClaim(deps, ref, context);
  }
}

async function routeAndClaim(
  deps: DispatchDeps,
  ref: TaskRef,
  context: TaskContext,
): Promise<DispatchAnswer> {
  const { task, project } = context;
  const candidates = await lookAtCandidates(deps, ref.organizationId);
  const decision = route(
    {
      sourceKind: task.source.kind,
      override: task.preferredProvider,
      allowFallback: task.allowFallback,
      preference: project.settings.preferredProvider ?? null,
    },
    candidates,
  );
  if (decision.kind === "none")
    return decision.transient
      ? delay(deps, task, "provider_unavailable", decision.because)
      : escalate(deps, task, "no_provider", decision.because, decision);

  const chosen = candidates.find((candidate) => candidate.name === decision.provider);
  if (chosen === undefined || chosen.credential === null)
    return delay(deps, task, "provider_unavailable", "the chosen provider went away");
  const claimed = await claim(deps, context, decision, {
    ...chosen,
    credential: chosen.credential,
  });
  if (claimed.kind === "lost") return afterLostClaim(deps, ref);
  await deps.supervisors.start(ref, task.fence + 1);
  return { kind: "started", because: `${decision.provider}: ${decision.because}` };
}

function claim(
  deps: DispatchDeps,
  { task, project }: TaskContext,
  decision: Extract<RouteDecision, { kind: "assign" }>,
  chosen: Candidate & { credential: string },
) {
  const nowMs = deps.clock.nowMs();
  return deps.tasks.claim({
    ref: { organizationId: task.organizationId, taskId: task.id },
    fence: task.fence,
    assignment: {
      id: deps.ids.next("asg"),
      provider: chosen.name,
      providerType: chosen.definition.type,
      decision,
    },
    executionId: deps.ids.next("exec"),
    config: resolveConfig(task, project, chosen),
    caps: {
      all: deps.settings.maxLiveExecutions,
      provider: chosen.config?.rateLimits.maxLive ?? deps.settings.maxLiveExecutions,
    },
    nowMs,
    sweepAtMs: nowMs + deps.settings.resendAfterMs,
    log: {
      actor: systemActor,
      action: "task.assigned",
      message: `Attempt ${task.fence + 1} goes to ${chosen.name}: ${decision.because}.`,
      details: { decision },
    },
  });
}

/** A claim is lost to another delivery of the message, to a cancel, or to full slots; only the last one waits. */
async function afterLostClaim(deps: DispatchDeps, ref: TaskRef): Promise<DispatchAnswer> {
  const task = await deps.tasks.find(ref);
  if (task === null || task.status !== "queued")
    return { kind: "left", because: "another delivery of the message was faster" };
  return delay(deps, task, waitsForCapacity, "all slots are taken");
}

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
