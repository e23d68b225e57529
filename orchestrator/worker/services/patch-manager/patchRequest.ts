import type { PatchSet } from "../../../../shared/contracts/aiPatch.ts";
import {
  currentRunnerProtocol,
  type PatchRunRequest,
  type ValidationCommand,
} from "../../../../shared/contracts/runner.ts";
import { touchesProtectedPath } from "../../domain/patchPolicy.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { PatchBrief, PatchDeps } from "./deps.ts";

/** What the project, or the task, wants to be run on the patched tree. */
export const commandsOf = ({ task, project }: PatchBrief): ValidationCommand[] =>
  task.validation ?? project.settings.validation;

/** What a runner is asked to make of a set, with no command of the project yet. */
export function patchRequestOf(
  deps: Pick<PatchDeps, "doorbellOf">,
  attempt: Attempt,
  { task, patch }: PatchBrief,
  set: PatchSet,
): PatchRunRequest {
  const doorbell = deps.doorbellOf(attempt);
  return {
    protocol: currentRunnerProtocol,
    fence: attempt.patchTry,
    taskId: task.id,
    set,
    source: { ...task.source, commit: patch.baseCommit },
    ...(patch.ontoCommit === null ? {} : { onto: patch.ontoCommit }),
    validation: { commands: [] },
    // What the agent left is a tree of its base, which a merge with another commit does not make.
    expectedTreeId: patch.ontoCommit === null ? (attempt.report?.treeId ?? null) : null,
    // The tree is made and validated first, so that whoever is asked sees the verdict. No ref moves before that.
    ...(touchesProtectedPath(set) ? { approved: { protectedPaths: true } } : {}),
    ...(doorbell === null ? {} : { doorbell }),
  };
}
