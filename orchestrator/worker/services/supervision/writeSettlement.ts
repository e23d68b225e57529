import { type AfterRun, afterRun } from "../../domain/afterRun.ts";
import { attemptDetails } from "../../domain/auditDetails.ts";
import { costOf } from "../../domain/cost.ts";
import { keepText } from "../../domain/keepText.ts";
import { noticesOfEnd } from "../../domain/notices.ts";
import type { RunFacts, RunOutcome } from "../../domain/outcome.ts";
import type { Brief, Settlement } from "../../domain/ports/executionStore.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { TaskRef } from "../../domain/ports/supervisors.ts";
import type { NewTask } from "../../domain/ports/taskStore.ts";
import { executionTransitions, isFinalTask, taskTransitions } from "../../domain/states.ts";
import type { Notice } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";

/**
 * Writes what an attempt came to. Lost = D1 has it settled already (a repetition after a crash), or a cancel
 * came in between.
 */
export async function writeSettlement(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
  outcome: RunOutcome,
  report: RunFacts | null,
): Promise<{ kind: "done"; taskEvent: AfterRun["taskEvent"] } | { kind: "lost" }> {
  const nowMs = deps.clock.nowMs();
  const after = await remediated(deps, brief, outcome, afterRun(brief.task, outcome, nowMs));
  const notices = noticesOf(deps, brief, after, nowMs);
  const settlement: Settlement = {
    ref: refOf(attempt),
    executionEvent: outcome.execution,
    taskEvent: after.taskEvent,
    outcome: after.outcome,
    result: await resultOf(deps, attempt, brief, report),
    patch: after.taskEvent === "receive_patch" ? patchOf(attempt) : null,
    child: after.taskEvent === "remediate" ? after.child : null,
    notices,
    notBeforeMs: waitOf(after),
    notBeforeReason: waitReason(after),
    waiting: after.taskEvent === "ask" ? after.waiting : null,
    sweepAtMs: sweepAtMs(after, nowMs, brief),
    nowMs,
    log: [logOf(brief, attempt, outcome, after, report)],
  };
  const written = await deps.executions.settle(settlement);
  if (written.kind === "lost") return written;
  tellState(deps, attempt, {
    task: taskTransitions[after.taskEvent].to,
    execution: executionTransitions[outcome.execution].to,
    because: after.outcome?.message ?? null,
  });
  await deps.sendNotices(notices);
  const untilMs = waitOf(after);
  if (untilMs !== null) await askForLook(deps, refOf(attempt), untilMs - nowMs);
  if (after.taskEvent === "remediate") await askForLook(deps, childRef(after.child), 0);
  if (isFinalTask(taskTransitions[after.taskEvent].to)) await deps.afterEnd(brief.task);
  await deps.wakeNext({ organizationId: attempt.organizationId, projectId: brief.task.projectId });
  return { kind: "done", taskEvent: after.taskEvent };
}

const waitOf = (after: AfterRun): number | null =>
  after.taskEvent === "retry" || after.taskEvent === "park" ? after.notBeforeMs : null;

/** A parked task says by its outcome's code what it waits for. */
const waitReason = (after: AfterRun): string | null => {
  if (after.taskEvent === "retry") return "retry";
  return after.taskEvent === "park" ? after.outcome.code : null;
};

/** The message is a matter of speed: the row says when the task is due, and the sweep finds it without one. */
async function askForLook(
  deps: SupervisionDeps,
  { organizationId, taskId }: TaskRef,
  waitMs: number,
): Promise<void> {
  try {
    const seconds = Math.min(Math.ceil(waitMs / 1_000), maxMessageDelaySeconds);
    await deps.lookAgain({ organizationId, taskId }, seconds);
  } catch (error) {
    deps.log.warn("retry.message_not_sent", { organizationId, taskId, error });
  }
}

const childRef = ({ task: { organizationId, id } }: NewTask): TaskRef => ({
  organizationId,
  taskId: id,
});

/** What an agent left that no patch can hold is put right as a patch is that was refused. */
async function remediated(
  deps: SupervisionDeps,
  brief: Brief,
  run: RunOutcome,
  after: AfterRun,
): Promise<AfterRun> {
  if (after.taskEvent !== "fail" || run.kind !== "bad" || run.code !== "patch_rejected")
    return after;
  const remediation = await deps.remediationOf(brief, after.outcome.message);
  if (remediation.kind === "child")
    return { taskEvent: "remediate", outcome: after.outcome, child: remediation.child };
  const { because } = remediation;
  if (because === null) return after;
  const { code, message } = after.outcome;
  return { taskEvent: "fail", outcome: { code, message: `${message} ${because}` } };
}

function noticesOf(
  deps: SupervisionDeps,
  { task }: Brief,
  after: AfterRun,
  nowMs: number,
): Notice[] {
  const status = taskTransitions[after.taskEvent].to;
  if (!isFinalTask(status) || after.outcome === null) return [];
  return noticesOfEnd(deps.ids, task, status, after.outcome, null, nowMs);
}

/** A queue holds a message back for this long at most. */
const maxMessageDelaySeconds = 12 * 3_600;

/** A task that waits is looked at when its wait is over; one with a patch when it gets old. */
function sweepAtMs(after: AfterRun, nowMs: number, { task }: Brief): number | null {
  if (after.taskEvent === "ask") return after.waiting.expiresAtMs;
  if (waitOf(after) !== null) return waitOf(after);
  if (after.taskEvent === "remediate") return after.child.sweepAtMs;
  return after.taskEvent === "receive_patch" ? nowMs + task.limits.wallClockMs : null;
}

async function resultOf(
  deps: SupervisionDeps,
  attempt: Attempt,
  { execution, task }: Brief,
  report: RunFacts | null,
): Promise<Settlement["result"]> {
  const usage = report?.usage ?? null;
  const prices =
    usage === null
      ? undefined
      : (await deps.providerConfigs.all(task.organizationId)).get(execution.provider)?.costPerToken;
  return {
    usage: usage && {
      ...usage,
      ...costOf(usage, prices ?? {}, listModel(deps, execution, report)),
    },
    sessionId: report?.sessionId ?? null,
    events: deps.memory.lastNumber(attempt.fence),
    durationMs: report?.durationMs ?? 0,
    baseCommit: report?.baseCommit ?? null,
    output:
      report?.terminal == null
        ? null
        : await keepText(deps.artifacts, attempt, "output.txt", report.terminal.text),
  };
}

/** The model that the run is paid for by the token, if it is known. */
function listModel(
  deps: SupervisionDeps,
  { provider, config }: Brief["execution"],
  report: RunFacts | null,
): string | null {
  const billing = deps.agentOf(provider)?.capabilities.billing;
  if (billing !== "tokens" && config.endpoint.value === null) return null;
  return report?.model ?? config.model.value;
}

function patchOf(attempt: Attempt): Settlement["patch"] {
  if (attempt.patch === null) return null;
  const { organizationId, taskId, fence } = attempt;
  const id = patchSetIdOf(attempt);
  return { organizationId, taskId, fence, id, treeId: null, ...attempt.patch };
}

/** One patch set an attempt, named after it. */
const patchSetIdOf = (attempt: Attempt): string =>
  `ps_${(attempt.executionId ?? "").slice("exec_".length)}`;

const childIdOf = (after: AfterRun): string | null =>
  after.taskEvent === "remediate" ? after.child.task.id : null;

function logOf(
  { execution, task }: Brief,
  attempt: Attempt,
  outcome: RunOutcome,
  after: AfterRun,
  report: RunFacts | null,
): Settlement["log"][number] {
  const action = `execution.${executionTransitions[outcome.execution].to}`;
  const who = task.reverts === null ? "The agent" : "The revert";
  const what = {
    receive_patch: `${who} ended well and left a patch.`,
    finish_without_patch: after.outcome?.message ?? `${who} changed nothing.`,
    cancel_confirmed: "The run was cancelled.",
    fail: after.outcome?.message ?? "The run failed.",
    remediate: `${after.outcome?.message ?? "The run failed."} ${childIdOf(after)} is to put it right.`,
    retry: `${after.outcome?.message ?? "The run failed."} It will be tried again.`,
    park: `${after.outcome?.message ?? "The run failed."} The provider has told when it can go on.`,
    ask: "The agent asks a person, and its run is suspended.",
  }[after.taskEvent];
  const patch = after.taskEvent === "receive_patch" ? attempt.patch : null;
  const details = {
    ...attemptDetails(execution),
    model: report?.model ?? execution.config.model.value,
    baseCommit: report?.baseCommit ?? null,
    result: after.outcome?.code ?? after.taskEvent,
    ...(patch === null
      ? {}
      : { patchSetId: patchSetIdOf(attempt), contentKey: patch.contentKey, files: patch.files }),
  };
  return { actor: systemActor, action, message: what, details };
}
