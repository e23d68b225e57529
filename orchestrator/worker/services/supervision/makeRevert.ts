import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { version } from "../../../../shared/version.ts";
import type { RunFacts, RunOutcome } from "../../domain/outcome.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import { go, type Step, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import { ownProvider } from "../../domain/task.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { refOf, type SupervisionDeps } from "./deps.ts";
import { endWithoutRun } from "./endWithoutRun.ts";
import { notePatch } from "./notePatch.ts";

/** `set` is null when nothing is left to take back; `head` is the commit that it is against. */
type Inverse = { head: string; set: PatchSet | null };

export type RevertDeps = SupervisionDeps & {
  /** What takes back the patch that the task reverts. Throws SwitchyardError. */
  inverseOf(brief: Brief): Promise<Inverse>;
};

/** A repository that cannot be read for this long makes the revert a matter for a person. */
const giveUpMs = 30 * 60_000;

/**
 * The run of a task that reverts: no agent is started, the set is made here. It is made again after a crash; what
 * it is made of does not change while the task holds its order.
 */
export const makeRevert =
  (deps: RevertDeps): Step =>
  async (before) => {
    const brief = await deps.executions.findBrief(refOf(before));
    if (brief === null || brief.task.fence !== before.fence)
      return go({ ...before, phase: "archiving" });
    if (brief.task.cancelRequestedAtMs !== null)
      return endWithoutRun(deps, before, brief, cancelled);
    const attempt = await begin(deps, before);
    try {
      return await toSettling(deps, attempt, await deps.inverseOf(brief));
    } catch (error) {
      return afterError(deps, attempt, brief, error);
    }
  };

async function begin(deps: SupervisionDeps, attempt: Attempt): Promise<Attempt> {
  const nowMs = deps.clock.nowMs();
  const marked = await deps.executions.markRunning(refOf(attempt), nowMs, {
    actor: systemActor,
    action: "execution.running",
    message: "The inverse of the patch is made.",
  });
  if (marked.kind === "done") tellState(deps, attempt, { task: "running", execution: "running" });
  return { ...attempt, startedAtMs: attempt.startedAtMs ?? nowMs };
}

async function toSettling(
  deps: SupervisionDeps,
  attempt: Attempt,
  { head, set }: Inverse,
): Promise<StepResult> {
  const patch = set === null ? null : await notePatch(deps.artifacts, attempt, set);
  const durationMs = Math.max(0, deps.clock.nowMs() - (attempt.startedAtMs ?? 0));
  return go({ ...attempt, phase: "settling", report: reportOf(head, durationMs), patch });
}

/** Told as a run, so that it is settled as one. The gate makes the tree; there is none to compare it with. */
const reportOf = (baseCommit: string, durationMs: number): RunFacts => ({
  agent: ownProvider,
  agentVersion: version,
  stoppedBy: null,
  terminal: { ok: true, reason: "success", text: "The inverse of the patch was made." },
  exit: { exitCode: 0, signal: null },
  toolCalls: 0,
  deniedToolCalls: 0,
  error: null,
  fault: null,
  sessionId: null,
  usage: null,
  baseCommit,
  treeId: null,
  durationMs,
});

async function afterError(
  deps: SupervisionDeps,
  attempt: Attempt,
  brief: Brief,
  error: unknown,
): Promise<StepResult> {
  if (!(error instanceof SwitchyardError)) throw error;
  const forMs = deps.clock.nowMs() - (attempt.failingSinceMs ?? deps.clock.nowMs());
  if (error.retryable && forMs < giveUpMs) throw error;
  return endWithoutRun(deps, attempt, brief, {
    kind: "bad",
    execution: "fail",
    code: "runner_fault",
    message: `The inverse of the patch could not be made: ${error.message}`,
    retry: false,
  });
}

const cancelled: Extract<RunOutcome, { kind: "bad" }> = {
  kind: "bad",
  execution: "cancel",
  code: "cancelled",
  message: "The task was cancelled before its patch was made.",
  retry: false,
};
