import type { Source } from "../../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { stands } from "../../domain/guards.ts";
import { readText } from "../../domain/keepText.ts";
import type { RunOutcome } from "../../domain/outcome.ts";
import type { AgentRequest, CodeAgent } from "../../domain/ports/codeAgent.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type Step, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { Task } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { factoryRefOf, refOf, type SupervisionDeps } from "./deps.ts";
import { endWithoutRun } from "./endWithoutRun.ts";

/** A runner that cannot take the run for this long has refused it. */
const giveUpStartMs = 2 * 60_000;

/** Starts the agent under the execution's id. Repeating it finds the same run. */
export const startRun =
  (deps: SupervisionDeps): Step =>
  async (before) => {
    const brief = await deps.executions.findBrief(refOf(before));
    if (brief === null) return go(leave(before, deps.clock.nowMs()));
    const agent = deps.agentOf(brief.execution.provider);
    if (brief.task.cancelRequestedAtMs !== null)
      return endStart(deps, before, brief, agent, cancelled);
    if (agent === null) return endStart(deps, before, brief, null, fault("internal"));
    const attempt = { ...before, startAsked: true };
    try {
      const request = await requestOf(deps, attempt, brief);
      deps.memory.save(attempt);
      await agent.start(request);
    } catch (error) {
      return afterFailedStart(deps, attempt, brief, agent, error);
    }
    return afterStart(deps, attempt, brief);
  };

/** A newer attempt has come: what may have been started is ended first. */
const leave = (attempt: Attempt, nowMs: number): Attempt =>
  attempt.startAsked
    ? { ...attempt, phase: "confirming" }
    : { ...attempt, phase: "done", endedAtMs: nowMs };

async function afterStart(
  deps: SupervisionDeps,
  attempt: Attempt,
  { execution }: Brief,
): Promise<StepResult> {
  const nowMs = deps.clock.nowMs();
  const marked = await deps.executions.markRunning(refOf(attempt), nowMs, {
    actor: systemActor,
    action: "execution.running",
    message: `${execution.provider} was started.`,
  });
  if (marked.kind === "done") tellState(deps, attempt, { task: "running", execution: "running" });
  return go({ ...attempt, phase: "following", startedAtMs: nowMs, unreachableSinceMs: null });
}

/** Only what the runner itself answers counts against it; a broken store is no reason to give up a start. */
async function afterFailedStart(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
  agent: CodeAgent,
  error: unknown,
): Promise<StepResult> {
  if (!(error instanceof SwitchyardError) || error.code === "store_unavailable") throw error;
  const nowMs = deps.clock.nowMs();
  const unreachableSinceMs = attempt.unreachableSinceMs ?? nowMs;
  const waitedMs = nowMs - unreachableSinceMs;
  if (error.retryable && waitedMs < giveUpStartMs)
    return wait({ ...attempt, unreachableSinceMs }, startAgainMs(waitedMs));
  return endStart(deps, attempt, brief, agent, fault(error));
}

/** The pause grows with the time that the runner has been away. */
const startAgainMs = (waitedMs: number): number => Math.min(Math.max(waitedMs, 1_000), 30_000);

/** A start that was asked for may have worked and its answer been lost: such a run must not go on alone. */
async function endStart(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
  agent: CodeAgent | null,
  outcome: Extract<RunOutcome, { kind: "bad" }>,
): Promise<StepResult> {
  const unconfirmed = attempt.startAsked && agent !== null && stands("unseen_run_ended");
  return endWithoutRun(deps, attempt, brief, outcome, unconfirmed);
}

function fault(error: SwitchyardError | "internal"): Extract<RunOutcome, { kind: "bad" }> {
  const message = error === "internal" ? "This version does not know the provider." : error.message;
  const retry = error !== "internal" && error.retryable;
  return {
    kind: "bad",
    execution: "fail",
    code: retry ? "provider_unreachable" : "runner_fault",
    message: `The agent could not be started: ${message}`,
    retry,
  };
}

const cancelled = {
  kind: "bad",
  execution: "cancel",
  code: "cancelled",
  message: "The task was cancelled before its agent was started.",
  retry: false,
} as const;

async function requestOf(
  deps: SupervisionDeps,
  attempt: Attempt,
  { task, project, execution, order }: Brief,
): Promise<AgentRequest> {
  const credentialName = execution.config.credential.value ?? "";
  const credential = deps.secrets.find(credentialName);
  if (credential === null)
    throw new SwitchyardError(
      "no_credentials",
      `The secret ${credentialName} is not set any more.`,
    );
  return {
    organizationId: attempt.organizationId,
    taskId: task.id,
    executionId: execution.id,
    fence: attempt.fence,
    prompt: await promptOf(deps, task),
    model: execution.config.model.value,
    endpoint: execution.config.endpoint.value,
    source: sourceAt(task.source, order.headCommit),
    limits: task.limits,
    sessionId: task.resume?.sessionId ?? null,
    credential,
    credentialName,
    allowedHosts: project.settings.allowedHosts ?? [],
    doorbell: doorbellOf(deps, attempt),
    factory: factoryRefOf(attempt.organizationId, execution.config.factory?.value),
  };
}

/** A later task of an order goes on from the commit that the one before it delivered. */
const sourceAt = (source: Source, headCommit: string | null): Source =>
  headCommit === null ? source : { ...source, commit: headCommit };

export const doorbellOf = (
  { settings }: Pick<SupervisionDeps, "settings">,
  { organizationId, taskId, doorbellToken }: Attempt,
): { url: string; token: string } | null =>
  settings.publicUrl === null
    ? null
    : {
        url: `${settings.publicUrl}/runner/v1/doorbell/${organizationId}/${taskId}`,
        token: doorbellToken,
      };

/** A session that goes on hears the answer alone; a new one hears the task again, and the answer with it. */
async function promptOf(deps: SupervisionDeps, task: Task): Promise<string> {
  if (task.resume !== null && task.resume.sessionId !== null) return task.resume.answer;
  const text = await readText(deps.artifacts, task.prompt);
  if (text === null) throw new SwitchyardError("internal", "The task's prompt is missing.");
  return task.resume === null
    ? text
    : `${text}\n\nYou asked a person and were told: ${task.resume.answer}`;
}
