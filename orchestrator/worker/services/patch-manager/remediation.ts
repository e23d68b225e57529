import { ancestorsOf, rootOf } from "../../domain/ancestors.ts";
import { stands } from "../../domain/guards.ts";
import { readText } from "../../domain/keepText.ts";
import { maxInlineBytes, maxRemediationDepth } from "../../domain/limits.ts";
import type { Brief } from "../../domain/ports/executionStore.ts";
import type { NewTask } from "../../domain/ports/taskStore.ts";
import {
  type PatchSetRecord,
  type StoredText,
  type Task,
  untouchedTask,
} from "../../domain/task.ts";
import { systemActor } from "../../domain/tellState.ts";
import { tellConflicts } from "./conflictPrompt.ts";
import type { PatchDeps } from "./deps.ts";
import type { BadEnd } from "./endPatch.ts";
import { readSet } from "./readSet.ts";

type RemediationDeps = Pick<PatchDeps, "ids" | "policy" | "settings" | "tasks" | "artifacts">;

export type Remediation =
  | { kind: "child"; child: NewTask }
  /** A person has to put it right. Null = it is no matter for an agent anyway, and nobody needs to be told. */
  | { kind: "none"; because: string | null };

/** What a child is told: an end of a patch, or of a run of which no patch could be made. */
type Cause = Pick<BadEnd, "message" | "remediable" | "validation" | "conflicts">;

/** The same for a run of which no patch could be made. */
export const remediationOfRun = (
  deps: RemediationDeps,
  brief: Brief,
  message: string,
  nowMs: number,
): Promise<Remediation> => remediationOf(deps, brief, { message, remediable: true }, nowMs);

/** The child that shall put right what is wrong with a patch, or why there is none. */
export async function remediationOf(
  deps: RemediationDeps,
  brief: Brief,
  end: Cause,
  nowMs: number,
): Promise<Remediation> {
  const { task } = brief;
  if (!end.remediable || task.cancelRequestedAtMs !== null) return { kind: "none", because: null };
  if (nowMs >= task.deadlineAtMs)
    return { kind: "none", because: "No agent is asked again, since its deadline has passed." };
  // What stands in the way of a revert is for a person: an agent would make something else than the inverse.
  if (task.reverts !== null) return { kind: "none", because: null };
  const deepest = Math.min(deps.policy.remediationDepth(brief), maxRemediationDepth);
  if (task.depth >= deepest && stands("remediation_depth"))
    return { kind: "none", because: await storyOf(deps, task) };
  const id = deps.ids.next("task");
  const prompt = await storePrompt(deps, task, id, await promptFor(deps, brief, end));
  return {
    kind: "child",
    child: {
      task: { ...task, ...ofChild(brief, nowMs), id, prompt },
      sweepAtMs: nowMs + deps.settings.resendAfterMs,
      log: {
        actor: systemActor,
        action: "task.accepted",
        message: `It remediates ${task.id}: ${end.message}`,
      },
    },
  };
}

/**
 * All else is as its parent has it: paths, limits, deadline, who wanted it, and what is left of its retries. A provider
 * that a person chose is not replaced, nor is one that a model was named for.
 */
const ofChild = ({ task, execution }: Brief, nowMs: number) =>
  ({
    ...untouchedTask(nowMs),
    kind: "remediation",
    preferredProvider: execution.provider,
    allowFallback: (task.preferredProvider === null || task.allowFallback) && task.model === null,
    callbackUrl: null,
    parentId: task.id,
    depth: task.depth + 1,
    replayOf: null,
  }) satisfies Partial<Task>;

/** What was tried before, for the person who has to take over; null where nothing was. */
async function storyOf({ tasks }: RemediationDeps, task: Task): Promise<string | null> {
  const before = await ancestorsOf((ref) => tasks.findStory(ref), task);
  if (before.length === 0) return null;
  const told = before.reverse().map(({ task: { id }, execution, log }) => {
    const cause = log.findLast(({ action }) => tellsCause.test(action))?.message ?? "";
    return `${id} by ${execution?.provider ?? "nobody"}: ${cause.slice(0, 300)}`;
  });
  return `It was tried ${before.length + 1} times. Before this one, ${told.join(" ")}`;
}

const tellsCause = /^(patch|execution)\./;

const maxNamedFiles = 20;
const maxTailChars = 2_000;

async function promptFor(
  { artifacts, tasks }: RemediationDeps,
  { task, patch }: Brief,
  end: Cause,
): Promise<string> {
  const root = await rootOf((ref) => tasks.findContext(ref), task);
  return [
    `An earlier change for this order could not be delivered: ${end.message}`,
    ...(end.validation?.commands ?? [])
      .filter(({ status }) => status !== "passed")
      .map(({ name, tail }) => `The end of what "${name}" printed:\n${tail.slice(-maxTailChars)}`),
    ...(patch === null ? [] : await tellPatch(artifacts, patch, end)),
    "Nothing of it is in the working directory now. Make the whole change again, so that it applies and passes.",
    `The task was:\n${(await readText(artifacts, root.prompt)) ?? ""}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

async function tellPatch(
  artifacts: RemediationDeps["artifacts"],
  patch: PatchSetRecord,
  end: Cause,
): Promise<string[]> {
  const read = await readSet(artifacts, patch);
  const files = read.kind === "parsed" ? filesOf(read.set) : [];
  return [
    `It was patch set ${patch.id} of task ${patch.taskId}, against commit ${patch.baseCommit}.`,
    files.length === 0 ? "" : `It changed ${files.join(", ")}.`,
    ...tellConflicts(patch, end),
  ];
}

function filesOf({
  files,
  patches,
}: {
  files: object;
  patches: readonly { file: string }[];
}): string[] {
  const all = [...new Set([...Object.keys(files), ...patches.map(({ file }) => file)])];
  const more = all.length - maxNamedFiles;
  return [...all.slice(0, maxNamedFiles), ...(more > 0 ? [`${more} more files`] : [])];
}

async function storePrompt(
  { artifacts }: RemediationDeps,
  { organizationId }: Task,
  id: string,
  text: string,
): Promise<StoredText> {
  if (new TextEncoder().encode(text).length <= maxInlineBytes) return { kind: "inline", text };
  const key = `${organizationId}/${id}/prompt.txt`;
  await artifacts.put(key, text);
  return { kind: "artifact", key };
}
