import { drizzle } from "drizzle-orm/d1";
import { d1AuditStore } from "./database/auditStore.ts";
import { d1DeadLetterStore } from "./database/deadLetterStore.ts";
import { d1DoctorStore } from "./database/doctorStore.ts";
import { d1ExecutionStore } from "./database/executionStore.ts";
import { d1IdentityStore } from "./database/identityStore.ts";
import { d1NoticeStore } from "./database/noticeStore.ts";
import { d1PatchSetStore } from "./database/patchSetStore.ts";
import { d1ProjectStore } from "./database/projectStore.ts";
import { d1ProviderConfigStore } from "./database/providerConfigStore.ts";
import { d1TaskStore } from "./database/taskStore.ts";
import type { Runner } from "./domain/ports/runner.ts";
import { Secret } from "./domain/ports/secrets.ts";
import type { SupervisorMemory } from "./domain/ports/supervisorMemory.ts";
import type { SupervisorAccess, TaskRef } from "./domain/ports/supervisors.ts";
import { type Deployment, type Env, readEnv } from "./env.ts";
import { cloudflareContainers } from "./platform/agentContainers.ts";
import { r2Anchors } from "./platform/anchors.ts";
import { r2Artifacts } from "./platform/artifacts.ts";
import { systemClock } from "./platform/clock.ts";
import { consoleLog } from "./platform/consoleLog.ts";
import { envSecrets } from "./platform/envSecrets.ts";
import { systemIds } from "./platform/ids.ts";
import { cloudflareTaskQueue } from "./platform/taskQueue.ts";
import { cliAgentService } from "./services/ai-providers/cli/cliAgentService.ts";
import { providersWith } from "./services/ai-providers/registry.ts";
import { signedCallbacks } from "./services/notices/webhook/signedCallback.ts";
import type { PatchPolicy } from "./services/patch-manager/deps.ts";
import { containerRunner } from "./services/runners/container/containerRunner.ts";
import { putBundle, takeBundle } from "./services/runners/http/bundles.ts";
import { httpRunner } from "./services/runners/http/httpRunner.ts";
import type { RunnerAddress } from "./services/runners/http/request.ts";
import { runnerForge } from "./services/runners/http/runnerForge.ts";
import { superviseWith } from "./superviseWith.ts";

export type Deps = ReturnType<typeof compose>;

const ids = systemIds(systemClock);

/** For a face whose composition itself fails. */
export const platformLog = consoleLog;

/** Everything the use cases ask for, made from the bindings of one request. */
export function compose(env: Env) {
  const deployment = readEnv(env);
  const { settings, secrets: values, acpAgents } = deployment;
  const providers = providersWith(acpAgents);
  const db = drizzle(env.DB);
  const secrets = envSecrets(values);
  const clock = systemClock;
  const runner = agentRunnerOf(env, deployment);
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
    deadLetters: d1DeadLetterStore(db, ids),
    doctor: d1DoctorStore(db),
    audit: d1AuditStore(db),
    anchors: r2Anchors(env.ARTIFACTS),
    artifacts: r2Artifacts(env.ARTIFACTS),
    queue: cloudflareTaskQueue(env.TASK_QUEUE),
    supervisors: supervisorsOf(env),
    callbacks: signedCallbacks(callbackSecret, clock),
    callbacksAreSigned: callbackSecret !== null,
    knownProviders: [...providers.keys()],
    providers,
    agents: new Map(
      [...providers].map(([name, provider]) => [
        name,
        cliAgentService({ name, ...provider }, runner),
      ]),
    ),
  };
}

/** Where agents run. Without anywhere they are unavailable, which their status says. */
function agentRunnerOf(env: Env, deployment: Deployment): Runner | null {
  const { agentRuntime, containerAgents, runnerUrl, patchRunnerUrl, secrets } = deployment;
  if (agentRuntime === "runner")
    return runnerUrl === null ? null : httpRunner(addressOf(runnerUrl, secrets, "RUNNER_TOKEN"));
  const addressIn = (executionId: string): RunnerAddress => ({
    url: "http://container",
    token: new Secret(""),
    fetch: (url, init) => env.AGENT_CONTAINER.getByName(executionId).fetch(url, init),
  });
  const patches =
    patchRunnerUrl === null ? null : addressOf(patchRunnerUrl, secrets, "PATCH_RUNNER_TOKEN");
  return containerRunner({
    containers: cloudflareContainers(env.AGENT_CONTAINER),
    agents: containerAgents,
    runnerOf: (executionId) => ({
      ...httpRunner(addressIn(executionId)),
      putBundle: (name, body) => putBundle(addressIn(executionId), name, body),
    }),
    bundleOf: patches && ((source) => takeBundle(patches, source)),
  });
}

/** What the object of a container makes for itself: the tokens of its runner and of its agent. */
export const tokensOf = (): { runnerToken: string; token: string } => ({
  runnerToken: ids.token(),
  token: `switchyard-run-${ids.token()}`,
});

/** A supervisor on its own memory: its loop, and what its watchers ask. */
export function composeSupervisor(env: Env, memory: SupervisorMemory, watched: () => boolean) {
  const deps = compose(env);
  const { patchRunnerUrl, secrets } = readEnv(env);
  const patchRunner =
    patchRunnerUrl === null ? null : addressOf(patchRunnerUrl, secrets, "PATCH_RUNNER_TOKEN");
  return superviseWith({
    ...deps,
    memory,
    watched,
    agentOf: (name) => deps.agents.get(name) ?? null,
    runner: patchRunner && httpRunner(patchRunner),
    forge: patchRunner && runnerForge(patchRunner),
    policy: noPolicy,
  });
}
export type Supervisor = ReturnType<typeof composeSupervisor>;

/** Approval by a person and remediation come with the Patch Manager's own settings. */
const noPolicy: PatchPolicy = { approvalReason: () => null, remediationDepth: () => 0 };

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
