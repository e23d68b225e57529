import { z } from "zod";
import { agentsOfImage } from "../../shared/containers/agentsOfImage.ts";
import type { ContainerObject } from "../../shared/containers/containerPlan.ts";
import type { EgressDecision, EgressRequest } from "../../shared/containers/egressRules.ts";
import type { FactoryContainersContract } from "../../shared/contracts/factoryContainers.ts";
import { factoryPropsSchema } from "../../shared/contracts/identity.ts";
import type { TaskMessage } from "../../shared/contracts/queueMessages.ts";
import { SwitchyardError } from "../../shared/errors.ts";
import type { FactoryRef } from "./domain/placement.ts";
import type { PokeAnswer, StartAnswer, TaskRef } from "./domain/ports/supervisors.ts";
import type { Settings } from "./domain/settings.ts";
import { ownProvider } from "./domain/task.ts";
import type { EgressGuardObject } from "./platform/factoryContainers.ts";
import {
  type AcpProvider,
  isProviderName,
  keyInsideProviders,
  providerNames,
} from "./services/ai-providers/registry.ts";

/** What the supervisor's object answers to over RPC. */
export type SupervisorObject = Rpc.DurableObjectBranded & {
  start(ref: TaskRef, fence: number): Promise<StartAnswer>;
  poke(ref: TaskRef): Promise<PokeAnswer>;
  ring(token: string): Promise<void>;
};

/** The bindings of wrangler.jsonc; a test holds the two against each other. */
export type Bindings = {
  DB: D1Database;
  ARTIFACTS: R2Bucket;
  TASK_QUEUE: Queue<TaskMessage>;
  SUPERVISOR: DurableObjectNamespace<SupervisorObject>;
  AGENT_CONTAINER: DurableObjectNamespace<Rpc.DurableObjectBranded & ContainerObject>;
  EGRESS_GUARD: DurableObjectNamespace<
    EgressGuardObject & {
      judge(asking: FactoryRef, request: EgressRequest): Promise<EgressDecision>;
    }
  >;
};

const platformSecrets = ["RUNNER_TOKEN", "PATCH_RUNNER_TOKEN", "CALLBACK_SIGNING_SECRET"] as const;
const providerSecrets = [
  "CLAUDE_API_KEY",
  "ANTHROPIC_API_KEY",
  "GEMINI_API_KEY",
  "CODEX_API_KEY",
  "OPENAI_API_KEY",
  "COPILOT_GITHUB_TOKEN",
  "COPILOT_PROVIDER_API_KEY",
  "CURSOR_API_KEY",
  "OPENCODE_API_KEY",
] as const;
const secretNames = [...platformSecrets, ...providerSecrets] as const;
export type SecretName = (typeof secretNames)[number];

const flag = z.enum(["0", "1"]).transform((text) => text === "1");
const optionalUrl = z.union([z.literal(""), z.url()]).transform((text) => text || null);
const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue("must be a JSON list");
    return z.NEVER;
  }
});
const jsonList = json.pipe(z.array(z.string()));

const variable = z.string().regex(/^[A-Z][A-Z0-9_]{1,80}$/);
/** A secret of the platform itself is none that an agent may be handed. */
const secretOfAgent = variable.refine(
  (name) => !(platformSecrets as readonly string[]).includes(name),
  "names a secret of the platform",
);
const acpAgents = json.pipe(
  z
    .array(
      z.object({
        id: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/),
        title: z.string().min(1).max(100),
        secretNames: z.array(secretOfAgent).min(1),
        credentialVariable: variable,
        resume: z.union([z.boolean(), z.enum(["auto", "fresh", "never"])]).default("auto"),
      }),
    )
    .refine(
      (agents) => new Set(agents.map(({ id }) => id)).size === agents.length,
      "must have an id each",
    )
    .refine(
      (agents) => !agents.some(({ id }) => id === ownProvider || isProviderName(id)),
      `must have other ids than ${[...providerNames, ownProvider].join(", ")}`,
    ),
);

const factoryContainers = json.pipe(
  z
    .array(factoryPropsSchema.extend({ binding: variable }))
    .refine(
      (all) => new Set(all.map((one) => `${one.organization}/${one.factory}`)).size === all.length,
      "must name a factory of an organization once",
    ),
);

const varsSchema = z
  .object({
    LOCAL_MODE: flag.default(false),
    PUBLIC_URL: optionalUrl.default(null),
    AGENT_RUNTIME: z.enum(["runner", "container"]).default("runner"),
    CONTAINER_AGENTS: json.optional().pipe(agentsOfImage),
    FACTORY_CONTAINERS: factoryContainers.default([]),
    RUNNER_URL: optionalUrl.default(null),
    PATCH_RUNNER_URL: optionalUrl.default(null),
    LOCAL_ROOTS: jsonList.default([]),
    ALLOWED_ENDPOINTS: jsonList.default([]),
    ALLOW_UNVERIFIED_PROVIDERS: jsonList.default([]),
    ALLOW_KEYS_IN_CONTAINERS: jsonList.default([]),
    ACP_AGENTS: acpAgents.default([]),
    MAX_LIVE_EXECUTIONS: wholeNumber(0, 100_000).default(1),
    MAX_LIVE_PER_ORGANIZATION: wholeNumber(0, 100_000).optional(),
    RESEND_AFTER_SECONDS: wholeNumber(1, 86_400).default(600),
    HEARTBEAT_SECONDS: wholeNumber(1, 600).default(30),
    LOST_AFTER_SECONDS: wholeNumber(1, 3_600).default(120),
    LIMIT_GRACE_SECONDS: wholeNumber(0, 600).default(15),
  })
  .superRefine((vars, context) => {
    const providers = [...providerNames, ...vars.ACP_AGENTS.map(({ id }) => id)];
    const refuseOthers = (name: NamesProviders, known: readonly string[]) => {
      for (const other of vars[name].filter((one) => !known.includes(one)))
        context.addIssue({
          code: "custom",
          path: [name],
          message: `must not name "${other}", only: ${known.join(", ")}`,
        });
    };
    refuseOthers("ALLOW_UNVERIFIED_PROVIDERS", providers);
    refuseOthers("ALLOW_KEYS_IN_CONTAINERS", keyInsideProviders);
  });
type NamesProviders = "ALLOW_UNVERIFIED_PROVIDERS" | "ALLOW_KEYS_IN_CONTAINERS";

/** The variables of wrangler.jsonc, as text; unset ones take their defaults. */
export type Vars = Partial<Record<keyof typeof varsSchema.shape, string>>;
export type Env = Bindings & Vars & Partial<Record<SecretName, string>>;

export type RegisteredFactory = FactoryRef & { service: FactoryContainersContract };

export type Deployment = {
  settings: Settings;
  /** The agents of the containers' image, with their versions. */
  containerAgents: Readonly<Record<string, string>>;
  /** Factories with containers of their own, each with the service binding that leads there. */
  factories: readonly RegisteredFactory[];
  runnerUrl: string | null;
  patchRunnerUrl: string | null;
  secrets: ReadonlyMap<string, string>;
  /** Agents that the runner knows by its own configuration. */
  acpAgents: readonly AcpProvider[];
};

/** The only reader of vars and secrets. A bad value stops every request with its name, instead of acting oddly. */
export function readEnv(env: Env): Deployment {
  const parsed = varsSchema.safeParse(env);
  if (!parsed.success)
    throw new SwitchyardError(
      "internal",
      `This deployment's configuration is wrong: ${parsed.error.issues
        .map(({ path, message }) => `${path.join(".")} ${message}`)
        .join("; ")}.`,
    );
  const vars = parsed.data;
  const agents = vars.ACP_AGENTS.map(({ resume, ...agent }) => ({
    ...agent,
    resume: resume !== false && resume !== "never",
  }));
  return {
    settings: {
      localMode: vars.LOCAL_MODE,
      localRoots: vars.LOCAL_ROOTS,
      publicUrl: vars.PUBLIC_URL,
      allowedEndpoints: vars.ALLOWED_ENDPOINTS,
      allowUnverifiedProviders: vars.ALLOW_UNVERIFIED_PROVIDERS,
      agentRuntime: vars.AGENT_RUNTIME,
      allowKeysInContainers: vars.ALLOW_KEYS_IN_CONTAINERS,
      maxLiveExecutions: vars.MAX_LIVE_EXECUTIONS,
      maxLivePerOrganization: vars.MAX_LIVE_PER_ORGANIZATION ?? vars.MAX_LIVE_EXECUTIONS,
      resendAfterMs: vars.RESEND_AFTER_SECONDS * 1000,
      heartbeatMs: vars.HEARTBEAT_SECONDS * 1000,
      lostAfterMs: vars.LOST_AFTER_SECONDS * 1000,
      limitGraceMs: vars.LIMIT_GRACE_SECONDS * 1000,
    },
    containerAgents: vars.CONTAINER_AGENTS,
    factories: vars.FACTORY_CONTAINERS.map((named) => registeredFactory(env, named)),
    runnerUrl: vars.RUNNER_URL,
    patchRunnerUrl: vars.PATCH_RUNNER_URL,
    secrets: secretsIn(env, [...secretNames, ...agents.flatMap((agent) => agent.secretNames)]),
    acpAgents: agents,
  };
}

function registeredFactory(
  env: object,
  { organization, factory, binding }: z.infer<typeof factoryContainers>[number],
): RegisteredFactory {
  const service: unknown = Reflect.get(env, binding);
  if (service === undefined || service === null || typeof service === "string")
    throw new SwitchyardError(
      "internal",
      `This deployment's configuration is wrong: FACTORY_CONTAINERS names the service binding ${binding}, which is not there. Declare it under "services", with the entrypoint FactoryContainers.`,
    );
  return { organizationId: organization, factory, service: service as FactoryContainersContract };
}

function secretsIn(env: object, names: readonly string[]): Map<string, string> {
  const found = names.map((name) => [name, Reflect.get(env, name)] as const);
  return new Map(
    found.flatMap(([name, value]) =>
      typeof value === "string" && value !== "" ? [[name, value] as const] : [],
    ),
  );
}
