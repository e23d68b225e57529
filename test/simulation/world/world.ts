import type { CodeAgent } from "../../../orchestrator/worker/domain/ports/codeAgent.ts";
import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { Log } from "../../../orchestrator/worker/domain/ports/log.ts";
import { Secret } from "../../../orchestrator/worker/domain/ports/secrets.ts";
import type { Settings } from "../../../orchestrator/worker/domain/settings.ts";
import {
  type ProviderDefinition,
  registry,
} from "../../../orchestrator/worker/services/ai-providers/registry.ts";
import type { PatchPolicy } from "../../../orchestrator/worker/services/patch-manager/deps.ts";
import { largeSet } from "./approvers.ts";
import { type Chance, chanceOf } from "./chance.ts";
import { drawRates, type FaultKind, type FaultRates } from "./faults.ts";
import { fencedStores } from "./fencedStores.ts";
import { type CallPoint, Calls, type Life, throughCalls } from "./life.ts";
import { shaOf } from "./shaOf.ts";
import { asCodeAgent, SimAgents } from "./simAgents.ts";
import { simArchives, simArtifacts } from "./simArchives.ts";
import { SimAudit } from "./simAudit.ts";
import { SimCallbacks } from "./simCallbacks.ts";
import { SimForge } from "./simForge.ts";
import { SimObjects } from "./simObjects.ts";
import { SimPatches } from "./simPatches.ts";
import { SimQueues } from "./simQueues.ts";
import { simSettings } from "./simSettings.ts";
import type { SimStores } from "./simStores.ts";
import { SimTrees } from "./simTrees.ts";
import { SimValidators } from "./simValidators.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";

export type WorldOptions = {
  seed: number;
  stores: SimStores;
  ids: Ids;
  keepTrace?: boolean;
  rates?: FaultRates;
  crashAt?: CallPoint | null;
  settings?: Partial<Settings>;
  /** Somebody commits to the branch of the first delivery, on a day that is quiet otherwise. */
  isFirstDeliveryRaced?: boolean;
  /** Whether the commands of projects run in containers of their own; otherwise every third seed has them there. */
  validatesInContainers?: boolean;
};

/** In every form in which a secret could leave. */
export const canary = "canary-key-0123456789-of-the-provider";

const simProviders = ["claude-code", "gemini"] as const;

const minuteMs = 60_000;

/** Everything around the core in one simulated history: time, chance, faults, and the parts outside. */
export class World {
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly calls: Calls;
  readonly stores: SimStores;
  readonly ids: Ids;
  readonly settings: Settings;
  readonly agents: SimAgents;
  readonly patches: SimPatches;
  readonly validators: SimValidators;
  readonly forge: SimForge;
  readonly trees = new SimTrees();
  readonly objects: SimObjects;
  readonly queues: SimQueues;
  readonly callbacks: SimCallbacks;
  readonly audit: SimAudit;
  readonly texts = new Map<string, string>();
  readonly rates: FaultRates;
  readonly injected = new Map<FaultKind, number>();
  readonly logged: string[] = [];
  /** Writes that landed although a newer attempt was there. */
  readonly lowFences: string[] = [];
  /** From here on nothing goes wrong any more. */
  readonly faultsEndMs: number;
  readonly #approvedShare: number;
  /** How deep this seed's projects let agents remediate. */
  readonly remediationDepth: number;
  #partitionedUntilMs = 0;

  constructor(options: WorldOptions) {
    this.chance = chanceOf(options.seed);
    this.timeline = new Timeline(0);
    this.trace = new Trace(options.keepTrace ?? false);
    this.rates = options.rates ?? drawRates(this.chance);
    this.faultsEndMs = this.chance.between(20, 60) * minuteMs;
    this.calls = new Calls(
      this.timeline,
      this.chance,
      {
        rates: this.rates,
        isActive: () => this.isFaulty(),
        count: (kind) => this.#count(kind),
        crashAt: options.crashAt ?? null,
      },
      this.trace,
    );
    this.#approvedShare = this.rates.agent_asks;
    this.remediationDepth = this.rates.validation_failed > 0 ? this.chance.below(4) : 0;
    this.stores = fencedStores(options.stores, (what) => this.lowFences.push(what));
    this.ids = options.ids;
    this.settings = { ...simSettings(this.chance), ...options.settings };
    this.agents = new SimAgents(this);
    this.patches = new SimPatches(this);
    this.validators = new SimValidators(
      this,
      options.validatesInContainers ?? options.seed % 3 === 0,
    );
    this.forge = new SimForge(this, options.isFirstDeliveryRaced);
    this.objects = new SimObjects(this);
    this.queues = new SimQueues(this);
    this.callbacks = new SimCallbacks(this);
    this.audit = new SimAudit(this, options.seed);
  }

  get nowMs(): number {
    return this.timeline.nowMs;
  }

  /** Whether this is a history without any fault. */
  get isQuiet(): boolean {
    return Object.values(this.rates).every((rate) => rate === 0);
  }

  isFaulty(): boolean {
    return this.nowMs < this.faultsEndMs;
  }

  /** Whether a fault of this kind happens now; it is counted. */
  strikes(kind: FaultKind): boolean {
    if (!this.isFaulty() || !this.chance.happens(this.rates[kind])) return false;
    this.#count(kind);
    return true;
  }

  isPartitioned(): boolean {
    return this.isFaulty() && this.nowMs < this.#partitionedUntilMs;
  }

  ring(taskId: string, token: string): void {
    this.objects.ring(taskId, token);
    if (this.strikes("forged_ring")) this.objects.ring(taskId, "a token that nobody gave out");
  }

  /** Long faults: the database or the network is away for a while, once or more. */
  scheduleOutages(): void {
    for (let at = 0; at < this.faultsEndMs; at += 10 * minuteMs) {
      if (this.chance.happens(this.rates.store_outage))
        this.#outage(at + this.chance.below(10 * minuteMs));
      if (this.chance.happens(this.rates.runner_partition))
        this.timeline.at(at + this.chance.below(10 * minuteMs), () => {
          this.#count("runner_partition");
          this.#partitionedUntilMs = this.nowMs + this.chance.between(5_000, 8 * minuteMs);
          this.trace.tell(this.nowMs, "network", "the runners cannot be reached");
        });
    }
  }

  #outage(atMs: number): void {
    this.timeline.at(atMs, () => {
      this.#count("store_outage");
      this.calls.outages.add("store");
      this.trace.tell(this.nowMs, "database", "does not answer");
      const endMs = Math.min(
        this.nowMs + this.chance.between(5_000, 4 * minuteMs),
        this.faultsEndMs,
      );
      this.timeline.at(endMs, () => this.calls.outages.delete("store"));
    });
  }

  /** Caps that an organization has set, by what they are of. */
  readonly caps = new Map<string, number>();

  /** Some organizations bound how many of their tasks run at once, of a project or of a provider. */
  projectCap(projectId: string): { maxLive?: number } {
    if (this.isQuiet || this.chance.happens(0.5)) return {};
    const maxLive = this.chance.between(1, 2);
    this.caps.set(`project ${projectId}`, maxLive);
    return { maxLive };
  }

  async capProvider(organizationId: string): Promise<void> {
    if (this.isQuiet || this.chance.happens(0.5)) return;
    const maxLive = this.chance.between(1, 2);
    this.caps.set(`provider ${organizationId} claude-code`, maxLive);
    const config = {
      enabled: true,
      apiEndpoint: null,
      defaultModel: null,
      rateLimits: { maxLive },
      costPerToken: {},
    };
    const log = { actor: "user:ada", action: "provider.configured", message: "capped" };
    await this.stores.providerConfigs.put(organizationId, "claude-code", config, 0, log);
  }

  /** Whether an execution was ended by what its agent reported. */
  wasJudged(executionId: string): boolean {
    return this.objects.wasJudged(executionId);
  }

  /** Whether anybody ever answers for this task; some wait in vain. */
  answers(taskId: string): boolean {
    return shareOf(taskId) < 0.7;
  }

  /** Whether the project of this seed wants a person to look at this patch set. */
  wantsApproval(patchSetId: string): boolean {
    return shareOf(patchSetId) < this.#approvedShare;
  }

  /** Some seeds ask a person before a delivery, and let agents remediate. */
  objectsPolicy(): PatchPolicy {
    return {
      approvalReasons: ({ patch }) => (this.wantsApproval(patch.id) ? [largeSet] : []),
      remediationDepth: () => this.remediationDepth,
    };
  }

  /** What one run of the core's code is given: every port of it goes through its own calls. */
  depsOf(life: Life) {
    const { calls, stores } = this;
    const through = <P extends object>(
      kind: Parameters<typeof throughCalls>[2],
      name: string,
      port: P,
    ): P => throughCalls(calls, life, kind, name, port);
    return {
      settings: this.settings,
      secrets: {
        find: (name: string) =>
          ["GEMINI_API_KEY", "ANTHROPIC_API_KEY"].includes(name) ? new Secret(canary) : null,
      },
      clock: { nowMs: () => this.nowMs },
      ids: this.ids,
      log: this.#logOf(life),
      tasks: through("store", "tasks", stores.tasks),
      executions: through("store", "executions", stores.executions),
      patchSets: through("store", "patchSets", stores.patchSets),
      projects: through("store", "projects", stores.projects),
      notices: through("store", "notices", stores.notices),
      deadLetters: through("store", "deadLetters", stores.deadLetters),
      providerConfigs: through("store", "providerConfigs", stores.providerConfigs),
      artifacts: through("artifacts", "artifacts", simArtifacts(this.texts)),
      archives: through("artifacts", "archives", simArchives(this.texts)),
      queue: through("queue", "queue", this.queues.port()),
      supervisors: through("supervisor", "supervisors", this.objects.port()),
      callbacks: through("other", "callbacks", this.callbacks.port()),
      audit: this.audit.store(),
      anchors: this.audit.anchors,
      callbacksAreSigned: true,
      knownProviders: simProviders,
      factories: [],
      providers: new Map<string, ProviderDefinition>(
        simProviders.map((name) => [name, registry[name]]),
      ),
      agents: new Map<string, CodeAgent>(
        simProviders.map((name) => [
          name,
          asCodeAgent(through("runner", name, this.agents.agent(name))),
        ]),
      ),
      runner: through("runner", "patches", this.patches.runner()),
      validatorOf: this.validators.validatorOf((runner) => through("runner", "validators", runner)),
      forge: through("runner", "forge", this.forge.port()),
    };
  }

  #logOf(life: Life): Log {
    const tell = (event: string, fields: Record<string, unknown> = {}) => {
      if (life.isDead()) return;
      const { error, ...rest } = fields;
      const said = JSON.stringify({
        ...rest,
        ...(error instanceof Error ? { error: error.message } : {}),
      });
      this.logged.push(said);
      this.trace.tell(this.nowMs, life.name, `${event} ${said}`);
    };
    return { info: tell, warn: tell, error: tell };
  }

  #count(kind: FaultKind): void {
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
  }
}

/** A number in [0, 1) that depends on the text alone. */
const shareOf = (text: string): number => Number.parseInt(shaOf(text).slice(0, 6), 16) / 0x1000000;

export type WorldDeps = ReturnType<World["depsOf"]>;
