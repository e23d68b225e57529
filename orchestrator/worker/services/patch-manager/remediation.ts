import { stands } from "../../domain/guards.ts";
import { maxRemediationDepth } from "../../domain/limits.ts";
import type { NewTask } from "../../domain/ports/taskStore.ts";
import { systemActor } from "../../domain/tellState.ts";
import type { PatchBrief, PatchDeps } from "./deps.ts";
import type { BadEnd } from "./endPatch.ts";

/**
 * The child that shall put right what is wrong with a patch, or null when a person has to: the matter is not one
 * for an agent, the chain is as deep as it may be, or the time of its root is over.
 */
export function remediationOf(
  deps: Pick<PatchDeps, "ids" | "policy" | "settings">,
  brief: PatchBrief,
  end: BadEnd,
  nowMs: number,
): NewTask | null {
  const { task } = brief;
  if (!end.remediable || task.cancelRequestedAtMs !== null || nowMs >= task.deadlineAtMs)
    return null;
  // What stands in the way of a revert is for a person: an agent would make something else than the inverse.
  if (task.reverts !== null) return null;
  const deepest = Math.min(deps.policy.remediationDepth(brief), maxRemediationDepth);
  if (task.depth >= deepest && stands("remediation_depth")) return null;
  const id = deps.ids.next("task");
  return {
    task: {
      ...task,
      id,
      kind: "remediation",
      prompt: { kind: "inline", text: promptFor(brief, end) },
      status: "queued",
      fence: 0,
      provider: null,
      preferredProvider: brief.execution.provider,
      allowFallback: true,
      callbackUrl: null,
      cancelRequestedAtMs: null,
      notBeforeMs: null,
      notBeforeReason: null,
      delays: 0,
      sends: 1,
      retries: 0,
      waiting: null,
      resume: null,
      parentId: task.id,
      depth: task.depth + 1,
      replayOf: null,
      outcome: null,
      createdBy: systemActor,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      finishedAtMs: null,
    },
    sweepAtMs: nowMs + deps.settings.resendAfterMs,
    log: {
      actor: systemActor,
      action: "task.accepted",
      message: `It remediates ${task.id}: ${end.message}`,
    },
  };
}

const promptFor = ({ task, patch }: PatchBrief, end: BadEnd): string =>
  [
    `An earlier change for this order could not be delivered: ${end.message}`,
    ...(end.validation?.commands ?? [])
      .filter(({ status }) => status !== "passed")
      .map(({ name, tail }) => `The end of what "${name}" printed:\n${tail.slice(-2_000)}`),
    `It was patch set ${patch.id} of task ${task.id}, against commit ${patch.baseCommit}.`,
    "Make the change again, so that it applies and passes.",
    task.prompt.kind === "inline" ? `The task was:\n${task.prompt.text}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
