import { drizzle } from "drizzle-orm/d1";
import { agentPins } from "../../shared/agentPins.ts";
import { patchRunnerOf, runnersOf, validatorsOf } from "./composeRunners.ts";
import { d1AuditStore } from "./database/auditStore.ts";
import { d1Probe } from "./database/databaseProbe.ts";
import { d1DeadLetterStore } from "./database/deadLetterStore.ts";
import { d1DoctorStore } from "./database/doctorStore.ts";
import { d1ExecutionStore } from "./database/executionStore.ts";
import { d1IdentityStore } from "./database/identityStore.ts";
import { d1NoticeStore } from "./database/noticeStore.ts";
import { d1PatchSetStore } from "./database/patchSetStore.ts";
import { d1ProjectStore } from "./database/projectStore.ts";
import { d1ProviderConfigStore } from "./database/providerConfigStore.ts";
import { d1TaskStore } from "./database/taskStore.ts";
import { defaultRemediationDepth } from "./domain/limits.ts";
import { approvalReasonsOf } from "./domain/patchPolicy.ts";
import type { SupervisorMemory } from "./domain/ports/supervisorMemory.ts";
import type { SupervisorAccess, TaskRef } from "./domain/ports/supervisors.ts";
import type { Task } from "./domain/task.ts";
import { type Env, readEnv } from "./env.ts";
import { r2Anchors } from "./platform/anchors.ts";
import { r2Archives, r2Artifacts } from "./platform/artifacts.ts";
import { systemClock } from "./platform/clock.ts";
import { consoleLog } from "./platform/consoleLog.ts";
import { envSecrets } from "./platform/envSecrets.ts";
import { systemIds } from "./platform/ids.ts";
import { cloudflareTaskQueue } from "./platform/taskQueue.ts";
import { cliAgentService } from "./services/ai-providers/cli/cliAgentService.ts";
import { type ProviderDefinition, providersWith } from "./services/ai-providers/registry.ts";
import { signedCallbacks } from "./services/notices/webhook/signedCallback.ts";
import type { PatchPolicy } from "./services/patch-manager/deps.ts";
import { httpRunner } from "./services/runners/http/httpRunner.ts";
import { runnerForge } from "./services/runners/http/runnerForge.ts";
import { afterEnd } from "./services/sweep/afterEnd.ts";
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
  const runnerAt = runnersOf(env, deployment);
  const patchRunner = patchRunnerOf(deployment);
  const keyInsideOf = (name: string, { keyInside }: ProviderDefinition) =>
    settings.allowKeysInContainers.includes(name) ? keyInside : undefined;
  const callbackSecret = secrets.find("CALLBACK_SIGNING_SECRET");
  const tasks = d1TaskStore(db, ids);
  const queue = cloudflareTaskQueue(env.TASK_QUEUE);
  return {
    settings,
    secrets,
    clock,
    ids,
    log: consoleLog,
    tasks,
    afterEnd: (task: Task) => afterEnd({ tasks, queue, log: consoleLog }, task),
    executions: d1ExecutionStore(db, ids),
    patchSets: d1PatchSetStore(db, ids),
    projects: d1ProjectStore(db, ids),
    identities: d1IdentityStore(db, ids),
    providerConfigs: d1ProviderConfigStore(db, ids),
    notices: d1NoticeStore(db),
    deadLetters: d1DeadLetterStore(db, ids),
    doctor: d1DoctorStore(db),
    database: d1Probe(db),
    agentVersions: settings.agentRuntime === "container" ? deployment.containerAgents : agentPins,
    audit: d1AuditStore(db),
    anchors: r2Anchors(env.ARTIFACTS),
    artifacts: r2Artifacts(env.ARTIFACTS),
    archives: r2Archives(env.ARTIFACTS),
    queue,
    validatorOf: validatorsOf(deployment, runnerAt),
    forge: patchRunner && runnerForge(patchRunner),
    supervisors: supervisorsOf(env),
    callbacks: signedCallbacks(callbackSecret, clock),
    callbacksAreSigned: callbackSecret !== null,
    knownProviders: [...providers.keys()],
    providers,
    factories: deployment.factories,
    agents: new Map(
      [...providers].map(([name, provider]) => [
        name,
        cliAgentService({ name, ...provider, keyInside: keyInsideOf(name, provider) }, runnerAt),
      ]),
    ),
  };
}

/** A supervisor on its own memory: its loop, and what its watchers ask. */
export function composeSupervisor(env: Env, memory: SupervisorMemory, watched: () => boolean) {
  const deps = compose(env);
  const patchRunner = patchRunnerOf(readEnv(env));
  return superviseWith({
    ...deps,
    memory,
    watched,
    agentOf: (name) => deps.agents.get(name) ?? null,
    runner: patchRunner && httpRunner(patchRunner),
    policy,
  });
}
export type Supervisor = ReturnType<typeof composeSupervisor>;

/** A project's settings say what needs a person, and how often agents try before one is needed. */
const policy: PatchPolicy = {
  approvalReasons: ({ project }, set, changes) => approvalReasonsOf(set, project.settings, changes),
  remediationDepth: ({ project }) => project.settings.remediation?.depth ?? defaultRemediationDepth,
};

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
