import type { NumberedEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import type { CodeAgent } from "../../domain/ports/codeAgent.ts";
import {
  go,
  type Step,
  type StepContext,
  type StepResult,
  wait,
} from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { endWithoutRun } from "./endWithoutRun.ts";
import { notePatch } from "./notePatch.ts";

/** While somebody watches, the runner's stream is kept open and read as it comes. */
const watchedWaitMs = 25_000;
/** How soon a run that was told to end is looked at again. */
const stoppingPollMs = 1_000;

/** Takes what the agent did since the last look, ends the run when a limit or a cancel says so, and notes its end. */
export const followRun =
  (deps: SupervisionDeps): Step =>
  async (attempt, context) => {
    const agent = deps.agentOf(attempt.provider ?? "");
    if (agent === null || attempt.executionId === null)
      throw new SwitchyardError("internal", "The attempt has no agent to follow.");
    const handle = { executionId: attempt.executionId, fence: attempt.fence };
    try {
      const asked = await askForEnd(deps, attempt, agent);
      await takeEvents(deps, asked, agent, context);
      const progress = await agent.progress(handle);
      if (progress.kind === "finished" && holdsAll(deps, asked, progress.lastEvent))
        return toSettling(deps, asked, progress.report);
      return again(deps, asked, context);
    } catch (error) {
      return afterFailedLook(deps, attempt, error);
    }
  };

async function toSettling(
  deps: SupervisionDeps,
  attempt: Attempt,
  { patch: set, ...report }: RunReport,
): Promise<StepResult> {
  const patch = set === null ? null : await notePatch(deps.artifacts, attempt, set);
  return go({ ...attempt, phase: "settling", report, patch });
}

const holdsAll = (deps: SupervisionDeps, { fence }: Attempt, lastEvent: number): boolean =>
  deps.memory.cursor(fence, "agent") >= lastEvent;

function again(deps: SupervisionDeps, attempt: Attempt, context: StepContext): StepResult {
  if (context.watched() && !context.signal.aborted) return go(attempt);
  if (attempt.stopAsked !== null) return wait(attempt, stoppingPollMs);
  return wait(
    attempt,
    Math.max(1, Math.min(deps.settings.heartbeatMs, msToNextLimit(deps, attempt))),
  );
}

async function takeEvents(
  deps: SupervisionDeps,
  attempt: Attempt,
  agent: CodeAgent,
  context: StepContext,
): Promise<void> {
  const { signal } = context;
  const watched = context.watched();
  const handle = { executionId: attempt.executionId ?? "", fence: attempt.fence };
  let held: NumberedEvent[] = [];
  const store = () => {
    const last = held.at(-1);
    if (last !== undefined) deps.memory.append(attempt.fence, "agent", last.number, held);
    held = [];
  };
  try {
    await agent.follow(handle, {
      after: deps.memory.cursor(attempt.fence, "agent"),
      waitMs: watched ? Math.min(watchedWaitMs, msToNextLimit(deps, attempt)) : 0,
      signal,
      onEvents(events) {
        held.push(...events);
        if (watched) store();
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    store();
  }
}

/** A cancel of the task, its time limit, or its silence; asked once, confirmed by the run's end. */
async function askForEnd(
  deps: SupervisionDeps,
  attempt: Attempt,
  agent: CodeAgent,
): Promise<Attempt> {
  if (attempt.stopAsked !== null) return attempt;
  const reason = await reasonToStop(deps, attempt);
  if (reason === null) return attempt;
  await agent.cancel({ executionId: attempt.executionId ?? "", fence: attempt.fence }, reason);
  const asked = { ...attempt, stopAsked: reason };
  deps.memory.save(asked);
  return asked;
}

async function reasonToStop(
  deps: SupervisionDeps,
  attempt: Attempt,
): Promise<Attempt["stopAsked"]> {
  const task = await deps.executions.findWish(refOf(attempt));
  if (task === null || task.cancelRequested || task.fence !== attempt.fence) return "cancel";
  const nowMs = deps.clock.nowMs();
  if (nowMs >= wallClockEndMs(deps, attempt)) return "wall_clock";
  if (nowMs >= silenceEndMs(deps, attempt)) return "silence";
  return null;
}

const wallClockEndMs = (deps: SupervisionDeps, attempt: Attempt): number =>
  (attempt.startedAtMs ?? 0) + (attempt.wallClockMs ?? 0) + deps.settings.limitGraceMs;

const silenceEndMs = (deps: SupervisionDeps, attempt: Attempt): number => {
  const heardAtMs = deps.memory.lastEventAtMs(attempt.fence, "agent") ?? attempt.startedAtMs ?? 0;
  return heardAtMs + (attempt.silenceMs ?? 0) + deps.settings.limitGraceMs;
};

const msToNextLimit = (deps: SupervisionDeps, attempt: Attempt): number =>
  Math.max(
    0,
    Math.min(wallClockEndMs(deps, attempt), silenceEndMs(deps, attempt)) - deps.clock.nowMs(),
  );

/** A runner that denies the run, or cannot be reached for long, has lost it; until then the look is repeated. */
async function afterFailedLook(
  deps: SupervisionDeps,
  attempt: Attempt,
  error: unknown,
): Promise<StepResult> {
  const code = error instanceof SwitchyardError ? error.code : null;
  const failingSinceMs = attempt.failingSinceMs ?? deps.clock.nowMs();
  const silentForMs = deps.clock.nowMs() - failingSinceMs;
  const unreachable = code === "runner_unreachable" || code === "runner_protocol_error";
  const gone = code === "run_not_found" || code === "stale_fence";
  if (!gone && !(unreachable && silentForMs >= deps.settings.lostAfterMs)) throw error;

  const brief = await deps.executions.findBrief(refOf(attempt));
  if (brief === null) return go({ ...attempt, phase: "done", endedAtMs: deps.clock.nowMs() });
  if (brief.task.cancelRequestedAtMs !== null)
    return endWithoutRun(deps, attempt, brief, {
      kind: "bad",
      execution: "cancel",
      code: "cancelled",
      message: "The task was cancelled; its runner no longer knows the run.",
      retry: false,
    });
  return endWithoutRun(deps, attempt, brief, {
    kind: "bad",
    execution: "lose",
    code: "lost",
    message: gone
      ? "The runner no longer knows the run."
      : "The runner could not be reached any more.",
    retry: true,
  });
}
