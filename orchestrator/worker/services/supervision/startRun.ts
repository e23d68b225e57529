import type { Source } from "../../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { readText } from "../../domain/keepText.ts";
import type { AgentRequest, CodeAgent } from "../../domain/ports/codeAgent.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type Step, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { Task } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { endWithoutRun } from "./endWithoutRun.ts";

/** A runner that cannot take the run for this long has refused it. */
const giveUpStartMs = 2 * 60_000;

/** Starts the agent under the execution's id. Repeating it finds the same run. */
export const startRun =
  (deps: SupervisionDeps): Step =>
  async (attempt) => {
    const brief = await deps.executions.findBrief(refOf(attempt));
    if (brief === null) return go({ ...attempt, phase: "done", endedAtMs: deps.clock.nowMs() });
    const agent = deps.agentOf(brief.execution.provider);
    try {
      if (agent === null)
        throw new SwitchyardError("unknown_provider", "This version does not know the provider.");
      await agent.start(await requestOf(deps, attempt, brief));
    } catch (error) {
      return afterFailedStart(deps, attempt, brief, agent, error);
    }
    return afterStart(deps, attempt, brief);
  };

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
  return go({ ...attempt, phase: "following", startedAtMs: nowMs });
}

async function afterFailedStart(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
  agent: CodeAgent | null,
  error: unknown,
): Promise<StepResult> {
  if (!(error instanceof SwitchyardError)) throw error;
  const waitedMs = deps.clock.nowMs() - (attempt.failingSinceMs ?? deps.clock.nowMs());
  if (error.retryable && waitedMs < giveUpStartMs && brief.task.cancelRequestedAtMs === null)
    throw error;
  if (error.retryable && agent !== null && !(await endUnseenRun(agent, attempt))) throw error;
  return endWithoutRun(deps, attempt, brief, outcomeOf(brief, error));
}

/** The start may have worked and its answer been lost: such a run must not go on alone. */
async function endUnseenRun(agent: CodeAgent, attempt: Attempt): Promise<boolean> {
  if (attempt.executionId === null) return true;
  try {
    await agent.cancel({ executionId: attempt.executionId, fence: attempt.fence }, "cancel");
    return true;
  } catch (error) {
    const code = error instanceof SwitchyardError ? error.code : "internal";
    return code === "run_not_found" || code === "runner_unreachable";
  }
}

function outcomeOf({ task }: Brief, error: SwitchyardError) {
  if (task.cancelRequestedAtMs !== null)
    return {
      kind: "bad",
      execution: "cancel",
      code: "cancelled",
      message: "The task was cancelled before its agent was started.",
      retry: false,
    } as const;
  return {
    kind: "bad",
    execution: "fail",
    code: error.retryable ? "provider_unreachable" : "runner_fault",
    message: `The agent could not be started: ${error.message}`,
    retry: error.retryable,
  } as const;
}

async function requestOf(
  deps: SupervisionDeps,
  attempt: Attempt,
  { task, execution, order }: Brief,
): Promise<AgentRequest> {
  const credential = deps.secrets.find(execution.config.credential.value);
  if (credential === null)
    throw new SwitchyardError(
      "no_credentials",
      `The secret ${execution.config.credential.value} is not set any more.`,
    );
  return {
    taskId: task.id,
    executionId: execution.id,
    fence: attempt.fence,
    prompt: await promptOf(deps, task),
    model: execution.config.model.value,
    endpoint: execution.config.endpoint.value,
    source: sourceAt(task.source, order.headCommit),
    limits: task.limits,
    sessionId: null,
    credential,
    doorbell: doorbellOf(deps, attempt),
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

async function promptOf(deps: SupervisionDeps, task: Task): Promise<string> {
  const text = await readText(deps.artifacts, task.prompt);
  if (text === null) throw new SwitchyardError("internal", "The task's prompt is missing.");
  return text;
}
