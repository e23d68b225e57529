import { patchDetails } from "../../domain/auditDetails.ts";
import { inputWaitMs } from "../../domain/limits.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { PatchSetStore } from "../../domain/ports/patchSetStore.ts";
import { go, type StepResult } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { Supervisors, TaskRef } from "../../domain/ports/supervisors.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { systemActor, tellState } from "../../domain/tellState.ts";
import { type PatchBrief, type PatchDeps, patchRefOf } from "./deps.ts";

/** The verified patch waits for a person; its supervisor looks again when it is poked, or now and then. */
export async function askForApproval(
  deps: PatchDeps,
  attempt: Attempt,
  brief: PatchBrief,
  reason: string,
): Promise<StepResult> {
  const nowMs = deps.clock.nowMs();
  const asked = await deps.patchSets.awaitApproval(patchRefOf(attempt, brief), {
    waiting: { kind: "approval", text: reason, sinceMs: nowMs, expiresAtMs: nowMs + inputWaitMs },
    nowMs,
    log: {
      actor: systemActor,
      action: "patch.awaits_approval",
      message: reason,
      details: patchDetails(brief.execution, brief.patch, { treeId: brief.patch.treeId }),
    },
  });
  if (asked.kind === "done") tellState(deps, attempt, { task: "waiting_input", because: reason });
  return go(attempt);
}

export type ApproveDeps = {
  tasks: TaskStore;
  patchSets: PatchSetStore;
  supervisors: Supervisors;
  clock: Clock;
  settings: Pick<Settings, "resendAfterMs">;
};

/** A person approves the patch that a task waits with. `lost` = it does not wait for that any more. */
export async function approvePatch(
  deps: ApproveDeps,
  ref: TaskRef,
  by: string,
): Promise<{ kind: "approved" } | { kind: "lost" }> {
  const story = await deps.tasks.findStory(ref);
  const nowMs = deps.clock.nowMs();
  const waiting = story?.task.waiting ?? null;
  if (story === null || story.patch === null || waiting?.kind !== "approval")
    return { kind: "lost" };
  if (nowMs >= waiting.expiresAtMs) return { kind: "lost" };
  const approved = await deps.patchSets.approve(
    { ...ref, fence: story.task.fence, patchSetId: story.patch.id },
    {
      by,
      nowMs,
      sweepAtMs: nowMs + deps.settings.resendAfterMs,
      log: {
        actor: by,
        action: "patch.approved",
        message: `${by} approved the patch.`,
        ...(story.execution === null
          ? {}
          : {
              details: patchDetails(story.execution, story.patch, { treeId: story.patch.treeId }),
            }),
      },
    },
  );
  if (approved.kind === "lost") return approved;
  await deps.supervisors.poke(ref);
  return { kind: "approved" };
}
