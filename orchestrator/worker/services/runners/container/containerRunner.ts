import type {
  ContainerPlan,
  OpenedContainer,
} from "../../../../../shared/containers/containerPlan.ts";
import { doorbellHost, modelHost } from "../../../../../shared/containers/egressRules.ts";
import {
  currentRunnerProtocol,
  type PatchRunRequest,
  type RunRequest,
  type RunStatus,
} from "../../../../../shared/contracts/runner.ts";
import type { Source } from "../../../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { containerLifetimeMs } from "../../../domain/limits.ts";
import type { AgentContainers, SourceBundle } from "../../../domain/ports/agentContainers.ts";
import type { Archives } from "../../../domain/ports/artifacts.ts";
import type { PatchOutside, Runner, RunOutside, SessionRef } from "../../../domain/ports/runner.ts";
import { sessionKey } from "./sessionKey.ts";

export type ContainerRunnerDeps = {
  containers: AgentContainers;
  /** The runner inside the container of an execution. It is not there any more: `run_not_found`. */
  runnerOf(executionId: string): InnerRunner;
  /** The agents of the image, with their versions: to ask a container would mean to start one. */
  agents(timeoutMs: number): Promise<Readonly<Record<string, string>>>;
  /** Makes a bundle of a source; null when this deployment has nobody who can. */
  bundleOf: ((source: Source) => Promise<SourceBundle>) | null;
  /** Where sessions lie between a container and the next. */
  archives: Archives;
};

export type InnerRunner = Omit<Runner, "release" | "keepSession"> & {
  putBundle(name: string, body: ReadableStream<Uint8Array>): Promise<void>;
  putSession(executionId: string, body: ReadableStream<Uint8Array>): Promise<void>;
  /** Hands the session of a finished run to `store`, with its length. */
  takeSession(
    executionId: string,
    store: (bytes: number, body: ReadableStream<Uint8Array>) => Promise<void>,
  ): Promise<void>;
};

/**
 * A runner whose every run has a container of its own. Keys stay outside: the container is given a token that the
 * worker changes for the key when a request to the model service passes by. Of an agent that cannot work so, the key
 * goes in for that run, where `outside` says that it may.
 */
export function containerRunner(deps: ContainerRunnerDeps): Runner {
  const { containers, runnerOf, agents } = deps;
  return {
    health: async (timeoutMs) => ({
      protocols: [currentRunnerProtocol],
      role: "agents",
      agents: Object.fromEntries(
        Object.entries(await agents(timeoutMs)).map(([name, version]) => [name, { version }]),
      ),
      live: null,
    }),
    startRun: (executionId, request, { outside } = {}) =>
      start(deps, executionId, request, outside),
    startPatch: (id, request, outside) => startPatch(deps, id, request, outside),
    patchResult: (id) => runnerOf(id).patchResult(id),
    takeOutput: (id, command, store) => runnerOf(id).takeOutput(id, command, store),
    follow: (kind, id, options) => runnerOf(id).follow(kind, id, options),
    runResult: (id) => runnerOf(id).runResult(id),
    async cancel(kind, id, fence, reason) {
      try {
        return await runnerOf(id).cancel(kind, id, fence, reason);
      } catch (error) {
        if (error instanceof SwitchyardError && error.code === "run_not_found")
          await containers.close(id);
        throw error;
      }
    },
    keepSession: (executionId, session) => keepSession(deps, executionId, session),
    release: (executionId) => containers.close(executionId),
  };
}

async function start(
  deps: ContainerRunnerDeps,
  executionId: string,
  request: RunRequest,
  outside: RunOutside | undefined,
): Promise<RunStatus> {
  const { containers, runnerOf, bundleOf } = deps;
  const egress = egressOf(request, outside);
  const opened = await containers.open({
    executionId,
    lifetimeMs: containerLifetimeMs(request.limits.wallClockMs),
    ...egress,
  });
  if (opened.kind !== "open") throw notOpen(opened);
  const source = await bringSource(bundleOf, runnerOf(executionId), executionId, request.source);
  await bringSession(deps, executionId, request, outside);
  return runnerOf(executionId).startRun(executionId, {
    ...request,
    source,
    ...(egress.model === null ? {} : keyOutside(request, outside, opened.token)),
    ...(request.doorbell === undefined ? {} : { doorbell: inside(request.doorbell) }),
  });
}

/** Of a patch set no key is known, and no model service; hosts that the project allows its agents are let through. */
async function startPatch(
  { containers, runnerOf, bundleOf }: ContainerRunnerDeps,
  id: string,
  request: PatchRunRequest,
  { allowedHosts }: PatchOutside = { allowedHosts: [] },
): Promise<RunStatus> {
  const ofCommands = request.validation.commands.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
  const opened = await containers.open({
    executionId: id,
    role: "patches",
    lifetimeMs: containerLifetimeMs(ofCommands),
    model: null,
    allowedHosts,
  });
  if (opened.kind === "gone")
    throw new SwitchyardError("run_not_found", "The container of the run is gone.");
  if (opened.kind !== "open") throw notOpen(opened);
  const runner = runnerOf(id);
  const known = await knownPatch(runner, id);
  if (known !== null) return known;
  const source = await bringPatchSource(bundleOf, runner, id, request);
  return runner.startPatch(id, {
    ...request,
    source,
    ...(request.doorbell === undefined ? {} : { doorbell: inside(request.doorbell) }),
  });
}

/** A run that is under way reads its source where it lies: it is not brought a second time. */
async function knownPatch(runner: InnerRunner, id: string): Promise<RunStatus | null> {
  try {
    return await runner.patchResult(id);
  } catch (error) {
    if (error instanceof SwitchyardError && error.code === "run_not_found") return null;
    throw error;
  }
}

/** The key goes in only where the agent cannot work otherwise and the deployment allows it. */
function egressOf(
  { agent, endpoint }: RunRequest,
  outside: RunOutside | undefined,
): Pick<ContainerPlan, "model" | "allowedHosts"> {
  const baseUrl = endpoint ?? outside?.modelService ?? null;
  if (outside !== undefined && baseUrl !== null) {
    const { credentialName: secretName, allowedHosts } = outside;
    return { model: { baseUrl, secretName }, allowedHosts };
  }
  if (outside === undefined || outside.keyInsideHosts === null)
    throw new SwitchyardError(
      "provider_unavailable",
      `${agent} cannot work in a container: its key would have to go in, which is not allowed.`,
    );
  return { model: null, allowedHosts: [...outside.allowedHosts, ...outside.keyInsideHosts] };
}

/** A token in the place of every key, and the name that stands for the model service. */
function keyOutside(
  { endpoint, secrets }: RunRequest,
  outside: RunOutside | undefined,
  token: string,
): Pick<RunRequest, "endpoint" | "endpointIsOwn" | "secrets"> {
  const isOwn = endpoint === undefined && outside?.knowsOwnService === true;
  return {
    endpoint: `http://${modelHost}`,
    ...(isOwn ? { endpointIsOwn: true } : {}),
    secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, token])),
  };
}

async function bringSource(
  bundleOf: ContainerRunnerDeps["bundleOf"],
  runner: InnerRunner,
  executionId: string,
  source: Source,
): Promise<Source> {
  if (bundleOf === null)
    throw new SwitchyardError(
      "source_not_allowed",
      `A source of the kind ${source.kind} cannot be brought into a container here.`,
    );
  const { commit, branch, body } = await bundleOf(source);
  await runner.putBundle(executionId, body);
  return { kind: "bundle", r2: executionId, ...(branch === null ? { commit } : { branch }) };
}

/** The history of what a set is brought onto holds the commit that it was made for. */
async function bringPatchSource(
  bundleOf: ContainerRunnerDeps["bundleOf"],
  runner: InnerRunner,
  id: string,
  { source, onto }: PatchRunRequest,
): Promise<Source> {
  if (onto === undefined || source.commit === undefined)
    return bringSource(bundleOf, runner, id, source);
  const brought = await bringSource(bundleOf, runner, id, { ...source, commit: onto });
  return { ...brought, commit: source.commit };
}

/** A session that is not there is not brought: a new one begins, or the agent says that it does not know it. */
async function bringSession(
  { archives, runnerOf }: ContainerRunnerDeps,
  executionId: string,
  { session, taskId, agent }: RunRequest,
  outside: RunOutside | undefined,
): Promise<void> {
  if (session === undefined || outside === undefined) return;
  const { organizationId, sessionTaskId } = outside;
  const of = { organizationId, taskId: sessionTaskId ?? taskId };
  const key = sessionKey({ ...of, agent, id: session.id });
  const body = key === null ? null : await archives.get(key);
  if (body !== null) await runnerOf(executionId).putSession(executionId, body);
}

async function keepSession(
  { archives, runnerOf }: ContainerRunnerDeps,
  executionId: string,
  session: SessionRef,
): Promise<void> {
  const key = sessionKey(session);
  if (key === null)
    throw new SwitchyardError("invalid_request", "The agent named its session by no plain id.");
  await runnerOf(executionId).takeSession(executionId, (bytes, body) =>
    archives.put(key, bytes, body),
  );
}

function inside({ url, token }: { url: string; token: string }): { url: string; token: string } {
  return { url: `http://${doorbellHost}${new URL(url).pathname}`, token };
}

function notOpen(opened: Exclude<OpenedContainer, { kind: "open" }>): SwitchyardError {
  if (opened.kind === "closed")
    return new SwitchyardError("stale_fence", "The run was ended before it was started.");
  const message =
    opened.kind === "gone"
      ? "The container was lost while its run was being started."
      : `The container did not start: ${opened.message}`;
  return new SwitchyardError("runner_unreachable", message);
}
