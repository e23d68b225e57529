import { drizzle } from "drizzle-orm/d1";
import { d1ExecutionStore } from "./database/executionStore.ts";
import { d1IdentityStore } from "./database/identityStore.ts";
import { d1NoticeStore } from "./database/noticeStore.ts";
import { d1PatchSetStore } from "./database/patchSetStore.ts";
import { d1ProjectStore } from "./database/projectStore.ts";
import { d1ProviderConfigStore } from "./database/providerConfigStore.ts";
import { d1TaskStore } from "./database/taskStore.ts";
import type { CodeAgent } from "./domain/ports/codeAgent.ts";
import { Secret } from "./domain/ports/secrets.ts";
import type { StepContext } from "./domain/ports/supervision.ts";
import type { StreamEvent, SupervisorMemory } from "./domain/ports/supervisorMemory.ts";
import type { StartAnswer, SupervisorAccess, TaskRef } from "./domain/ports/supervisors.ts";
import { isFinalTask } from "./domain/states.ts";
import type { Notice, Outcome } from "./domain/task.ts";
import { type Env, readEnv } from "./env.ts";
import { r2Artifacts } from "./platform/artifacts.ts";
import { systemClock } from "./platform/clock.ts";
import { consoleLog } from "./platform/consoleLog.ts";
import { envSecrets } from "./platform/envSecrets.ts";
import { systemIds } from "./platform/ids.ts";
import { cloudflareTaskQueue } from "./platform/taskQueue.ts";
import { cliAgentService } from "./services/ai-providers/cli/cliAgentService.ts";
import {
  isProviderName,
  type ProviderName,
  providerNames,
  registry,
} from "./services/ai-providers/registry.ts";
import { sendNotices } from "./services/notices/sendNotices.ts";
import { signedCallbacks } from "./services/notices/webhook/signedCallback.ts";
import { deliverPatch } from "./services/patch-manager/delivery.ts";
import { processPatch } from "./services/patch-manager/patchProcessor.ts";
import { httpRunner } from "./services/runners/http/httpRunner.ts";
import type { RunnerAddress } from "./services/runners/http/request.ts";
import { runnerForge } from "./services/runners/http/runnerForge.ts";
import { advance } from "./services/supervision/advance.ts";
import { archiveRun, transcriptKey } from "./services/supervision/archiveRun.ts";
import type { SupervisionDeps } from "./services/supervision/deps.ts";
import { endSuperseded } from "./services/supervision/endSuperseded.ts";
import { followRun } from "./services/supervision/followRun.ts";
import { openGate } from "./services/supervision/openGate.ts";
import { settleRun } from "./services/supervision/settleRun.ts";
import { startAttempt } from "./services/supervision/startAttempt.ts";
import { doorbellOf, startRun } from "./services/supervision/startRun.ts";
import { wakeNext } from "./services/sweep/wakeNext.ts";

export type Deps = ReturnType<typeof compose>;

const ids = systemIds(systemClock);

/** Everything the use cases ask for, made from the bindings of one request. */
export function compose(env: Env) {
  const { settings, runnerUrl, secrets: values } = readEnv(env);
  const db = drizzle(env.DB);
  const secrets = envSecrets(values);
  const clock = systemClock;
  const runner =
    runnerUrl === null ? null : httpRunner(addressOf(runnerUrl, values, "RUNNER_TOKEN"));
  const callbackSecret = secrets.find("CALLBACK_SIGNING_SECRET");
  return {
    settings,
    secrets,
    clock,
    ids,
    log: consoleLog,
    tasks: d1TaskStore(db, ids),
    executions: d1ExecutionStore(db, ids),
    patchSets: d1PatchSetStore(db, ids),
    projects: d1ProjectStore(db, ids),
    identities: d1IdentityStore(db, ids),
    providerConfigs: d1ProviderConfigStore(db, ids),
    notices: d1NoticeStore(db),
    artifacts: r2Artifacts(env.ARTIFACTS),
    queue: cloudflareTaskQueue(env.TASK_QUEUE),
    supervisors: supervisorsOf(env),
    callbacks: signedCallbacks(callbackSecret, clock),
    callbacksAreSigned: callbackSecret !== null,
    knownProviders: providerNames,
    agents: Object.fromEntries(
      providerNames.map((name) => [name, cliAgentService({ name, ...registry[name] }, runner)]),
    ) as Record<ProviderName, CodeAgent>,
  };
}

/** What a supervisor object needs: its own memory and the use cases that advance an attempt. */
export function composeSupervision(env: Env, memory: SupervisorMemory) {
  const deps = compose(env);
  const { patchRunnerUrl, secrets } = readEnv(env);
  const patchRunner =
    patchRunnerUrl === null ? null : addressOf(patchRunnerUrl, secrets, "PATCH_RUNNER_TOKEN");
  const supervision: SupervisionDeps = {
    ...deps,
    memory,
    agentOf: (name) => (isProviderName(name) ? deps.agents[name] : null),
    lookAgain: (task, delaySeconds) => deps.queue.send(task, delaySeconds),
    wakeNext: () => wakeNext(deps),
    sendNotices: (notices: readonly Notice[]) => sendNotices(deps, notices),
  };
  const patching = {
    ...supervision,
    patchSets: deps.patchSets,
    runner: patchRunner && httpRunner(patchRunner),
    forge: patchRunner && runnerForge(patchRunner),
    doorbellOf: (attempt: Parameters<typeof doorbellOf>[1]) => doorbellOf(deps, attempt),
  };
  const steps = {
    gate: openGate(supervision),
    starting: startRun(supervision),
    following: followRun(supervision),
    settling: settleRun(supervision),
    patching: processPatch(patching),
    delivering: deliverPatch(patching),
    archiving: archiveRun(supervision),
  };
  const advancing = { ...supervision, steps, endSuperseded: endSuperseded(supervision) };
  return {
    start: (ref: TaskRef, fence: number): StartAnswer => startAttempt(supervision, ref, fence),
    advance: (context: StepContext) => advance(advancing, context),
    highestFence: () => memory.attempts().at(-1)?.fence ?? 0,
    isIdle: () => memory.attempts().every(({ phase }) => phase === "done"),
    isDoorbell: (token: string) => memory.attempts().at(-1)?.doorbellToken === token,
    async endOf(ref: TaskRef): Promise<{ task: string; outcome: Outcome | null } | null> {
      const task = await deps.tasks.find(ref);
      if (task === null) return { task: "unknown", outcome: null };
      return isFinalTask(task.status) ? { task: task.status, outcome: task.outcome } : null;
    },
    async transcript(ref: TaskRef): Promise<StreamEvent[]> {
      const text = await deps.artifacts.get(transcriptKey(ref.organizationId, ref.taskId));
      return (text ?? "")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as StreamEvent);
    },
  };
}
export type Supervision = ReturnType<typeof composeSupervision>;

function addressOf(
  url: string,
  secrets: ReadonlyMap<string, string>,
  tokenName: string,
): RunnerAddress {
  return { url: url.replace(/\/$/, ""), token: new Secret(secrets.get(tokenName) ?? "") };
}

/** One supervisor a task, named after its organization and itself. */
function supervisorsOf(env: Env): SupervisorAccess {
  const of = ({ organizationId, taskId }: TaskRef) =>
    env.SUPERVISOR.getByName(`${organizationId}/${taskId}`);
  return {
    start: (ref, fence) => of(ref).start(ref, fence),
    poke: (ref) => of(ref).poke(ref),
    ring: (ref, token) => of(ref).ring(token),
    watch: (ref, { fence, number }) => {
      const query = new URLSearchParams({
        organization: ref.organizationId,
        task: ref.taskId,
        fence: String(fence),
        number: String(number),
      });
      return of(ref).fetch(`https://supervisor/events?${query}`);
    },
  };
}
