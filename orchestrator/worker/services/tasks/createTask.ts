import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import type { CreateTask } from "../../../../shared/contracts/task.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { judgeCallback } from "../../domain/addressPolicy.ts";
import { limitBounds, maxInlineBytes, maxPromptBytes } from "../../domain/limits.ts";
import { projectNotFound } from "../../domain/notFound.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Settings } from "../../domain/settings.ts";
import { judgeSource } from "../../domain/sourcePolicy.ts";
import { type Project, type StoredText, type Task, untouchedTask } from "../../domain/task.ts";
import { type AcceptDeps, type Accepted, acceptTask } from "./acceptTask.ts";

export type CreateTaskDeps = AcceptDeps & {
  artifacts: Artifacts;
  ids: Ids;
  knownProviders: readonly string[];
  /** Whether there is a secret to sign callbacks with. */
  callbacksAreSigned: boolean;
  settings: Pick<Settings, "localMode" | "localRoots" | "resendAfterMs">;
};

/**
 * Accepts a task. Errors: those of `acceptTask`, `project_not_found`, and what is wrong with the request
 * (`prompt_required`, `invalid_request`, `unknown_provider`, `source_not_allowed`, `callback_not_allowed`).
 */
export function createTask(
  deps: CreateTaskDeps,
  principal: Principal,
  request: CreateTask,
  idempotencyKey: string | null,
): Promise<Accepted> {
  const { organizationId, id: actor } = principal;
  const { projectId } = request;
  return acceptTask(
    deps,
    { organizationId, request, projectId, idempotencyKey },
    async (project) => {
      if (project === null) throw projectNotFound(projectId);
      const task = await newTask(deps, principal, request, project);
      return {
        task,
        log: { actor, action: "task.accepted", message: "The task was accepted." },
      };
    },
  );
}

async function newTask(
  deps: CreateTaskDeps,
  principal: Principal,
  request: CreateTask,
  project: Project,
): Promise<Task> {
  const id = deps.ids.next("task");
  const nowMs = deps.clock.nowMs();
  const source = sourceOf(request, project);
  refuseBadRequest(deps, request, source);
  const seconds = (name: "wallClockSeconds" | "silenceSeconds" | "deadlineSeconds") =>
    (request.limits[name] ?? limitBounds[name].default) * 1000;
  return {
    ...untouchedTask(nowMs),
    organizationId: principal.organizationId,
    id,
    projectId: project.id,
    orderId: request.orderId ?? `ORD-${id.slice("task_".length)}`,
    type: request.type,
    kind: request.kind,
    prompt: await storePrompt(deps, principal.organizationId, id, request.prompt),
    source,
    preferredProvider: request.provider ?? null,
    allowFallback: request.allowFallback,
    model: request.model ?? null,
    allowedPaths: request.allowedPaths ?? null,
    validation: request.validation ?? null,
    limits: {
      wallClockMs: seconds("wallClockSeconds"),
      silenceMs: seconds("silenceSeconds"),
      maxAttempts: request.limits.maxAttempts ?? limitBounds.maxAttempts.default,
    },
    deadlineAtMs: nowMs + seconds("deadlineSeconds"),
    callbackUrl: request.callbackUrl ?? null,
    retries: 0,
    parentId: null,
    depth: 0,
    replayOf: null,
    reverts: null,
    createdBy: principal.id,
  };
}

const sourceOf = (request: CreateTask, project: Project): Source => ({
  ...project.source,
  ...(request.branch === undefined ? {} : { branch: request.branch }),
  ...(request.commit === undefined ? {} : { commit: request.commit }),
});

function refuseBadRequest(deps: CreateTaskDeps, request: CreateTask, source: Source): void {
  if (request.prompt.trim() === "")
    throw new SwitchyardError("prompt_required", "prompt: say what the agent shall do.");
  if (new TextEncoder().encode(request.prompt).length > maxPromptBytes)
    throw new SwitchyardError(
      "invalid_request",
      `prompt: at most ${maxPromptBytes / 1024} KB. Put longer material into a file of the repository.`,
    );
  if (request.provider !== undefined && !deps.knownProviders.includes(request.provider))
    throw new SwitchyardError(
      "unknown_provider",
      `There is no provider "${request.provider}". Use one of: ${deps.knownProviders.join(", ")}.`,
    );
  const sourceVerdict = judgeSource(source, deps.settings);
  if (sourceVerdict.kind === "refused")
    throw new SwitchyardError(
      "source_not_allowed",
      `The project's source: ${sourceVerdict.because}.`,
    );
  if (request.validation !== undefined && !deps.settings.localMode)
    throw new SwitchyardError(
      "invalid_request",
      "validation: commands come from the project's settings, except in local mode.",
    );
  refuseBadCallback(deps, request);
}

function refuseBadCallback(deps: CreateTaskDeps, { callbackUrl }: CreateTask): void {
  if (callbackUrl === undefined) return;
  if (!deps.callbacksAreSigned)
    throw new SwitchyardError(
      "callback_not_allowed",
      "callbackUrl: this deployment has no CALLBACK_SIGNING_SECRET, so it sends no callbacks.",
    );
  const verdict = judgeCallback(callbackUrl, deps.settings.localMode);
  if (verdict.kind === "refused")
    throw new SwitchyardError("callback_not_allowed", `callbackUrl: ${verdict.because}.`);
}

async function storePrompt(
  deps: CreateTaskDeps,
  organizationId: string,
  taskId: string,
  prompt: string,
): Promise<StoredText> {
  if (new TextEncoder().encode(prompt).length <= maxInlineBytes)
    return { kind: "inline", text: prompt };
  const key = `${organizationId}/${taskId}/prompt.txt`;
  await deps.artifacts.put(key, prompt);
  return { kind: "artifact", key };
}
