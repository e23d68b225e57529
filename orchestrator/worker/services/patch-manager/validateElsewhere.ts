import type { PatchReport, ValidationReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { keepText } from "../../domain/keepText.ts";
import { containerLifetimeMs } from "../../domain/limits.ts";
import type { Runner } from "../../domain/ports/runner.ts";
import { go, type StepContext, type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt, ValidationRun } from "../../domain/ports/supervisorMemory.ts";
import { tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRunIdOf } from "./deps.ts";
import { type BadEnd, endPatch } from "./endPatch.ts";
import { keepOutputs, noOutputs } from "./keepOutputs.ts";
import { endOfFaults } from "./patchReport.ts";
import { commandsOf, patchRequestOf } from "./patchRequest.ts";
import { readSet } from "./readSet.ts";
import { containersOf, isWholeVerdict, releaseValidations } from "./validators.ts";

const watchedWaitMs = 25_000;
const mostContainers = 3;
/** Containers that cannot be had for this long make the patch a matter for a person. */
const giveUpMs = 30 * 60_000;
const busyPollMs = 2_000;

/** One look at the container that tries a patch whose tree the runner of patches has made. */
type Look = {
  deps: PatchDeps;
  runner: Runner;
  attempt: Attempt;
  run: ValidationRun;
  id: string;
  brief: PatchBrief;
};

/** A validation of this tree that is yet to begin. */
export function newValidation(brief: PatchBrief, treeId: string, before: number): ValidationRun {
  const commands = commandsOf(brief);
  return {
    try: before + 1,
    containersLost: 0,
    treeId,
    commands: commands.map(({ name }) => name),
    lifetimeMs: containerLifetimeMs(commands.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0)),
    sinceMs: null,
    isStarted: false,
    report: null,
  };
}

/** Every container of a validation has an id of its own: what one that was given up says counts for nothing. */
export const validationIdOf = (attempt: Attempt, brief: PatchBrief, run: ValidationRun): string =>
  `${patchRunIdOf(attempt, brief)}-v${run.try}`;

/**
 * Has the project's commands run in a clean container, which gets the base and the set and nothing that is secret,
 * and keeps what they came to. The container has to make the very tree that the runner of patches has made.
 */
export async function validateElsewhere(
  deps: PatchDeps,
  attempt: Attempt,
  run: ValidationRun,
  brief: PatchBrief,
  context: StepContext,
): Promise<StepResult> {
  const id = validationIdOf(attempt, brief, run);
  try {
    const runner = containersOf(deps.validatorOf, attempt);
    const look = { deps, runner, attempt, run, id, brief };
    return run.isStarted ? await follow(look, context) : await start(look);
  } catch (error) {
    return afterError({ deps, attempt: latest(deps, attempt), run, id, brief }, error);
  }
}

/** What was noted in the middle of this step is not undone by its failure. */
const latest = ({ memory }: PatchDeps, attempt: Attempt): Attempt =>
  memory.attempts().find(({ fence }) => fence === attempt.fence) ?? attempt;

async function start({ deps, runner, attempt, run, id, brief }: Look): Promise<StepResult> {
  const set = await readSet(deps.artifacts, brief.patch);
  if (set.kind !== "parsed") return endPatch(deps, attempt, brief, endOfFaults(set.faults));
  const commands = commandsOf(brief);
  // The project wants none any more.
  if (commands.length === 0) return go({ ...attempt, validation: null });
  const sinceMs = run.sinceMs ?? deps.clock.nowMs();
  const others = (attempt.openValidations ?? []).filter((other) => other !== id);
  const asked = {
    ...attempt,
    openValidations: [...others, id],
    validation: { ...run, sinceMs },
  };
  deps.memory.save(asked);
  const request = {
    ...patchRequestOf(deps, attempt, brief, set.set),
    fence: run.try,
    validation: { commands },
    expectedTreeId: run.treeId,
  };
  const { allowedHosts = [] } = brief.project.settings;
  await runner.startPatch(id, request, { allowedHosts });
  tellState(deps, attempt, { task: "validating", because: "in a clean container of its own" });
  const started = { ...run, sinceMs, commands: commands.map(({ name }) => name), isStarted: true };
  return go({ ...asked, validation: started });
}

async function follow(look: Look, context: StepContext): Promise<StepResult> {
  const { deps, runner, attempt, run, id } = look;
  await takeEvents(look, context);
  const { report, lastEvent } = await runner.patchResult(id);
  const isHeld = deps.memory.cursor(attempt.fence, sourceOf(attempt, run)) >= lastEvent;
  if (report !== null && isHeld) return afterReport(look, report);
  if (isOverdue(look)) return lost(look, "it did not end in its time");
  return context.watched() && !context.signal.aborted
    ? go(attempt)
    : wait(attempt, deps.settings.heartbeatMs);
}

const sourceOf = ({ patchTry }: Attempt, run: ValidationRun) =>
  `validation-${patchTry}-${run.try}` as const;

async function takeEvents(
  { deps, runner, attempt, run, id }: Look,
  { watched, signal }: StepContext,
): Promise<void> {
  const { fence } = attempt;
  const source = sourceOf(attempt, run);
  try {
    await runner.follow("patches", id, {
      after: deps.memory.cursor(fence, source),
      waitMs: watched() ? watchedWaitMs : 0,
      signal,
      onEvents(events) {
        const last = events.at(-1);
        if (last !== undefined) deps.memory.append(fence, source, last.number, events);
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const isOverdue = ({ deps, run }: Omit<Look, "runner">): boolean =>
  run.sinceMs !== null &&
  deps.clock.nowMs() - run.sinceMs >= run.lifetimeMs + deps.settings.lostAfterMs;

function afterReport(look: Look, report: PatchReport): Promise<StepResult> {
  const { run } = look;
  switch (report.kind) {
    case "stopped":
      return lost(look, `its run was stopped (${report.by})`);
    case "fault":
      return new SwitchyardError(report.code, report.message).retryable
        ? lost(look, report.message)
        : failed(look, report.message);
    case "refused":
      return otherTree(look, "refuses the set");
    case "engine_mismatch":
      return otherTree(look, `disagrees: ${report.message}`);
    case "applied":
      if (report.treeId !== run.treeId) return otherTree(look, `makes ${report.treeId} of it`);
      return isWholeVerdict(run.commands, report.validation)
        ? keep(look, report.validation)
        : lost(look, "its verdict is not one of the commands that were asked for");
  }
}

/** The verdict is held, with what the commands printed, before its container is given back. */
async function keep(
  { deps, runner, attempt: before, run, id }: Look,
  verdict: ValidationReport,
): Promise<StepResult> {
  const by = { runner, id, place: "container" as const };
  const kept = await keepOutputs(deps, by, before, verdict);
  if (kept.kind === "later") return kept.result;
  const text = JSON.stringify(kept.validation);
  const report = await keepText(deps.artifacts, before, `validation-${id}.json`, text);
  const attempt = { ...kept.attempt, validation: { ...run, report } };
  deps.memory.save(attempt);
  return go(await letGo(deps, attempt));
}

/** A container that does not go now is asked again at the end of its attempt. */
async function letGo(deps: PatchDeps, attempt: Attempt): Promise<Attempt> {
  try {
    await releaseValidations(deps.validatorOf, attempt);
    return { ...attempt, openValidations: [] };
  } catch (error) {
    const { organizationId, taskId, fence } = attempt;
    deps.log.warn("patch.container_not_released", { organizationId, taskId, fence, error });
    return attempt;
  }
}

/** Nothing was told of the patch: another container tries it, until there have been enough of them. */
async function lost(
  { deps, attempt, run, brief }: Omit<Look, "runner">,
  because: string,
): Promise<StepResult> {
  const containersLost = run.containersLost + 1;
  if (containersLost >= mostContainers)
    return endPatch(
      deps,
      attempt,
      brief,
      noVerdict(`${containersLost} containers came to none, the last: ${because}`),
    );
  tellState(deps, attempt, { task: "validating", because: `in another container: ${because}` });
  const next = { ...newValidation(brief, run.treeId, run.try), containersLost };
  return go(await letGo(deps, { ...attempt, ...noOutputs, validation: next }));
}

const failed = ({ deps, attempt, brief }: Omit<Look, "runner">, because: string) =>
  endPatch(deps, attempt, brief, noVerdict(because));

const noVerdict = (because: string): BadEnd => ({
  patchEvent: "fail",
  taskEvent: "escalate",
  code: "runner_fault",
  message: `The project's commands could not be run in a container: ${because}.`,
});

const otherTree = ({ deps, attempt, brief, run }: Look, what: string): Promise<StepResult> =>
  endPatch(deps, attempt, brief, {
    patchEvent: "fail",
    taskEvent: "escalate",
    code: "engine_mismatch",
    message: `The patch makes the tree ${run.treeId}; the container that was to try it ${what}.`,
  });

/** A container that is gone has told nothing; one that does not answer may be gone. */
async function afterError(look: Omit<Look, "runner">, error: unknown): Promise<StepResult> {
  if (!(error instanceof SwitchyardError)) throw error;
  const { deps, attempt, run } = look;
  if (error.code === "busy")
    return isOverdue(look) ? lost(look, "it stays busy") : wait(attempt, busyPollMs);
  if (error.code === "run_not_found" || error.code === "stale_fence")
    return lost(look, "the container is gone");
  const nowMs = deps.clock.nowMs();
  const forMs = nowMs - (attempt.failingSinceMs ?? nowMs);
  if (!error.retryable) return failed(look, withoutStop(error.message));
  if (run.isStarted && isUnreachable(error) && forMs >= deps.settings.lostAfterMs)
    return lost(look, "the container does not answer");
  if (forMs < giveUpMs) throw error;
  return failed(look, withoutStop(error.message));
}

const isUnreachable = ({ code }: SwitchyardError): boolean =>
  code === "runner_unreachable" || code === "runner_protocol_error";

const withoutStop = (message: string): string => message.replace(/\.$/, "");
