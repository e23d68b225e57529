import type { NumberedEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { stands } from "../../domain/guards.ts";
import type { CodeAgent } from "../../domain/ports/codeAgent.ts";
import {
  go,
  type Step,
  type StepContext,
  type StepResult,
  wait,
} from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { handleOf, refOf, type SupervisionDeps } from "./deps.ts";
import { endWithoutRun } from "./endWithoutRun.ts";
import { notePatch } from "./notePatch.ts";

/** While somebody watches, the runner's stream is kept open and read as it comes. */
const watchedWaitMs = 25_000;
/** How soon a run that was told to end is looked at again. */
const stoppingPollMs = 1_000;
const unreachablePollMs = 5_000;

/** Takes what the agent did since the last look, ends the run when a limit or a cancel says so, and notes its end. */
export const followRun =
  (deps: SupervisionDeps): Step =>
  async (attempt, context) => {
    const agent = deps.agentOf(attempt.provider ?? "");
    if (agent === null || attempt.executionId === null)
      throw new SwitchyardError("internal", "The attempt has no agent to follow.");
    const handle = handleOf(attempt);
    try {
      const asked = await askForEnd(deps, attempt, agent);
      await takeEvents(deps, asked, agent, context);
      const progress = await agent.progress(handle);
      const heard = { ...asked, unreachableSinceMs: null };
      if (progress.kind === "finished" && holdsAll(deps, heard, progress.lastEvent))
        return toSettling(deps, heard, progress.report);
      if (progress.kind === "live" && stopIsOverdue(deps, heard)) return endUnstopped(deps, heard);
      return again(deps, heard, context);
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
  deps.memory.cursor(fence, "agent") >= lastEvent || !stands("all_events_held");

function again(deps: SupervisionDeps, attempt: Attempt, context: StepContext): StepResult {
  if (attempt.stopAsked !== null) return wait(attempt, stoppingPollMs);
  if (context.watched() && !context.signal.aborted) return go(attempt);
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
  const handle = handleOf(attempt);
  let held: NumberedEvent[] = [];
  const store = () => {
    const last = held.at(-1);
    if (last !== undefined) deps.memory.append(attempt.fence, "agent", last.number, held);
    held = [];
  };
  try {
    await agent.follow(handle, {
      after: stands("event_cursor") ? deps.memory.cursor(attempt.fence, "agent") : 0,
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

/** A cancel of the task, its time limit, or its silence; asked until the run's end confirms it. */
async function askForEnd(
  deps: SupervisionDeps,
  attempt: Attempt,
  agent: CodeAgent,
): Promise<Attempt> {
  const reason = attempt.stopAsked ?? (await reasonToStop(deps, attempt));
  if (reason === null) return attempt;
  const stopAskedAtMs = attempt.stopAskedAtMs ?? deps.clock.nowMs();
  const asked = { ...attempt, stopAsked: reason, stopAskedAtMs };
  deps.memory.save(asked);
  await agent.cancel(handleOf(attempt), reason);
  return asked;
}

async function reasonToStop(
  deps: SupervisionDeps,
  attempt: Attempt,
): Promise<Attempt["stopAsked"]> {
  const task = await deps.executions.findWish(refOf(attempt));
  if (task === null || task.cancelRequested || task.fence !== attempt.fence) return "cancel";
  const nowMs = deps.clock.nowMs();
  if (nowMs >= wallClockEndMs(deps, attempt) && stands("wall_clock_enforced")) return "wall_clock";
  if (nowMs >= silenceEndMs(deps, attempt) && stands("silence_enforced")) return "silence";
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
  const gone = code === "run_not_found" || code === "stale_fence";
  if (!gone && code !== "runner_unreachable" && code !== "runner_protocol_error") throw error;
  const nowMs = deps.clock.nowMs();
  const unreachableSinceMs = attempt.unreachableSinceMs ?? nowMs;
  if (!gone && nowMs - unreachableSinceMs < deps.settings.lostAfterMs) {
    const pauseMs = Math.min(unreachablePollMs, deps.settings.heartbeatMs);
    return wait({ ...latest(deps, attempt), unreachableSinceMs }, pauseMs);
  }

  const brief = await deps.executions.findBrief(refOf(attempt));
  if (brief === null) return go({ ...attempt, phase: "confirming" });
  if (brief.task.cancelRequestedAtMs !== null)
    return endWithoutRun(deps, attempt, brief, cancelledUnseen, !gone);
  return endWithoutRun(deps, attempt, brief, lost(gone), !gone);
}

/** What was noted in the middle of this step is not undone by its failure. */
const latest = (deps: SupervisionDeps, attempt: Attempt): Attempt =>
  deps.memory.attempts().find(({ fence }) => fence === attempt.fence) ?? attempt;

const lost = (gone: boolean) =>
  ({
    kind: "bad",
    execution: "lose",
    code: "lost",
    message: gone
      ? "The runner no longer knows the run."
      : "The runner could not be reached any more.",
    retry: true,
  }) as const;

const cancelledUnseen = {
  kind: "bad",
  execution: "cancel",
  code: "cancelled",
  message: "The task was cancelled; its runner did not say that the run has ended.",
  retry: false,
} as const;

const stopIsOverdue = (deps: SupervisionDeps, { stopAskedAtMs }: Attempt): boolean =>
  stopAskedAtMs !== null &&
  deps.clock.nowMs() - stopAskedAtMs >= deps.settings.lostAfterMs + deps.settings.limitGraceMs;

/** The runner was told to end the run and does not: its task is not kept waiting, its end is asked for on. */
async function endUnstopped(deps: SupervisionDeps, attempt: Attempt): Promise<StepResult> {
  const brief = await deps.executions.findBrief(refOf(attempt));
  if (brief === null) return go({ ...attempt, phase: "confirming" });
  const outcome =
    brief.task.cancelRequestedAtMs !== null
      ? cancelledUnseen
      : ({
          kind: "bad",
          execution: "time_out",
          code: attempt.stopAsked === "silence" ? "silent" : "timed_out",
          message: "The run reached a limit, and its runner did not say that it has ended.",
          retry: false,
        } as const);
  return endWithoutRun(deps, attempt, brief, outcome, true);
}
