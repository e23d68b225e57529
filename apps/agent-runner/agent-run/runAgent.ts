import { randomUUID } from "node:crypto";
import type { RunReport, RunRequest } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type {
  AgentAdapter,
  AgentRequest,
  FoundAgent,
  LineAdapter,
} from "../agents/agentAdapter.ts";
import { withResetTimes } from "../agents/resetTimes.ts";
import { type ResolvedSource, resolveSource } from "../git/localSource.ts";
import type { RunMarkers } from "../processes/environment.ts";
import type { StartProcess } from "../processes/guardedProcess.ts";
import { endLeftovers } from "../processes/leftovers.ts";
import { giveTo, type RunUser } from "../processes/runUser.ts";
import type { Redactor } from "../redact.ts";
import { faultOf } from "../runs/fault.ts";
import type { LiveRun } from "../runs/liveRun.ts";
import { createRecorder, type Recorder } from "../runs/recorder.ts";
import { removeTree } from "../state/removeTree.ts";
import { driveAgent } from "./driveAgent.ts";
import { clearRunFolder, openRunPlaces, type RunPlaces, runPlaces } from "./places.ts";
import { noFacts, type RunFacts, withEvent } from "./runFacts.ts";
import type { Sessions } from "./sessions.ts";
import { type TakenPatch, takePatch } from "./takePatch.ts";
import { prepareWorkspace } from "./workspace.ts";

export type AgentRun = {
  live: LiveRun;
  request: RunRequest;
  adapter: AgentAdapter;
  found: Extract<FoundAgent, { kind: "installed" }>;
  /** Real paths of the directories whose repositories may be read. */
  roots: readonly string[];
  bundles: string;
  sessions: Sessions;
  redactor: Redactor;
  /** For a port that the agent may open; the redactor knows it. */
  password: string;
  markers: RunMarkers;
  keepWorkspaces: boolean;
  user: RunUser | null;
  work: string | null;
  startProcess: StartProcess;
  nowMs: () => number;
};

type Outcome = { taken: TakenPatch | null; fault: RunReport["fault"] };
type Step = { run: AgentRun; recorder: Recorder; facts: () => RunFacts };

/** Runs one agent from clone to patch set. Whatever goes wrong on the way is part of the report. */
export async function runAgent(run: AgentRun): Promise<RunReport> {
  const startedAtMs = run.nowMs();
  let seen = noFacts;
  const recorder = createRecorder(run.live.log, run.redactor, (event) => {
    seen = withEvent(seen, event);
  });
  const { taken, fault } = await attempt({ run, recorder, facts: () => seen });
  const stoppedBy = run.live.stopSwitch.seal();
  if (stoppedBy !== null)
    await recorder.record({ type: "interrupted", reason: stoppedBy }).catch(() => {});
  const kept = stoppedBy === null ? taken : null;
  return {
    ...seen,
    agent: run.adapter.name,
    agentVersion: run.found.version,
    stoppedBy,
    fault,
    treeId: kept?.treeId ?? null,
    patch: kept?.set ?? null,
    durationMs: run.nowMs() - startedAtMs,
  };
}

async function attempt(step: Step): Promise<Outcome> {
  const { run } = step;
  const places = runPlaces(run.live.folder, run.work);
  try {
    return { taken: await work(step, places), fault: null };
  } catch (error) {
    const isStopped = run.live.stopSwitch.reason() !== null && !(error instanceof SwitchyardError);
    return { taken: null, fault: isStopped ? null : faultOf(error, run.redactor) };
  } finally {
    if (!run.keepWorkspaces) await clearRunFolder(places).catch(() => {});
  }
}

async function work(step: Step, places: RunPlaces): Promise<TakenPatch | null> {
  const { run, recorder } = step;
  const { request, live } = run;
  await endLeftovers(run.markers);
  const source = await resolveSource(request.source, run);
  const asked = await openHome(run, places);
  const startedAtMs = run.nowMs();
  const files = await prepareWorkspace({
    source,
    baseGitDir: places.baseGitDir,
    workspace: places.workspace,
    signal: live.stopSwitch.signal,
  });
  await giveTo(run.user, [places.workspace, places.home, places.temporary]);
  const durationMs = run.nowMs() - startedAtMs;
  await recorder.record({
    type: "workspace_ready",
    baseCommit: source.commit,
    files,
    durationMs,
  });
  await runToItsEnd(step, places, asked);
  if (live.stopSwitch.reason() !== null) return null;
  const taken = await takePatch(patchTaking(run, source, places));
  await recorder.record(taken.event);
  return taken;
}

async function runToItsEnd(
  { run, recorder, facts }: Step,
  places: RunPlaces,
  asked: AgentRequest,
): Promise<void> {
  const { adapter, request, live, redactor } = run;
  if (live.stopSwitch.reason() !== null) return;
  const command = adapter.command(run.found.program, asked);
  const parser = "converse" in adapter ? null : await parserOf(adapter, asked, run.nowMs);
  const { version } = run.found;
  const start = { adapter, version, command, parser, agentRequest: asked, request };
  try {
    await driveAgent(
      { ...start, markers: run.markers, places },
      { startProcess: run.startProcess, recorder, redactor, stopSwitch: live.stopSwitch },
    );
  } finally {
    await endLeftovers(run.markers);
  }
  const id = facts().sessionId;
  if (id === null) return;
  const { home, placedAs } = places;
  const owner = run.user?.uid ?? null;
  await run.sessions.keep({ agent: adapter, id, home, owner, executionId: placedAs, redactor });
}

const parserOf = async (adapter: LineAdapter, asked: AgentRequest, nowMs: () => number) =>
  withResetTimes(await adapter.createParser(asked), nowMs);

/** A resumed run works where its session began, in HOME and all: the session names the paths. */
async function openHome(run: AgentRun, places: RunPlaces): Promise<AgentRequest> {
  const { adapter, request, sessions, found } = run;
  const id = request.session?.id ?? "";
  const began = id === "" ? null : await sessions.find(adapter.name, id);
  if (began !== null) {
    places.placeAs(began.executionId);
    for (const folder of [places.home, places.temporary]) await removeTree(folder);
  }
  await openRunPlaces(places);
  const asked = agentRequest(run, places.home, began !== null);
  await adapter.seedHome(places.home, { program: found.program, request: asked });
  if (began !== null) await sessions.restore(adapter.name, id, places.home);
  return asked;
}

const agentRequest = (
  { request, password }: AgentRun,
  home: string,
  isKept: boolean,
): AgentRequest => {
  const { prompt, model, endpoint, endpointIsOwn, session, secrets } = request;
  return {
    prompt,
    home,
    ...(model === undefined ? {} : { model }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(endpointIsOwn === undefined ? {} : { endpointIsOwn }),
    session:
      session && (isKept || session.orNew !== true)
        ? { kind: "resume", id: session.id }
        : { kind: "new", id: randomUUID() },
    password,
    secrets,
  };
};

const patchTaking = (
  { live, request, adapter, redactor, user }: AgentRun,
  source: ResolvedSource,
  places: RunPlaces,
) => ({
  source,
  workspace: places.workspace,
  baseGitDir: places.baseGitDir,
  aside: places.aside,
  owner: user?.uid ?? null,
  maxPatchBytes: request.limits.maxPatchBytes,
  redactor,
  naming: {
    executionId: live.id,
    taskId: request.taskId,
    provider: adapter.name,
    ...(request.model === undefined ? {} : { model: request.model }),
    commit: source.commit,
  },
});
