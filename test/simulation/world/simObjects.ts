import type { Attempt } from "../../../orchestrator/worker/domain/ports/supervisorMemory.ts";
import type {
  Supervisors,
  TaskRef,
} from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { SupervisorLoop } from "../../../orchestrator/worker/services/supervision/supervisorLoop.ts";
import { superviseWith } from "../../../orchestrator/worker/superviseWith.ts";
import { type MemorySupervisor, memorySupervisor } from "../../fakes/memorySupervisor.ts";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

type Instance = { life: Life; loop: SupervisorLoop };

/** One durable object: its memory outlives its instances, which come and go. */
export type SimObject = {
  ref: TaskRef;
  memory: MemorySupervisor;
  instance: Instance | null;
  alarmRuns: boolean;
  alarmTries: number;
  watchedUntilMs: number;
};

/** An alarm whose handler is cut off is tried again, so often and no more. */
const maxAlarmTries = 6;

/** The supervisors' durable objects: single instances, with alarms, evicted and cut off at any moment. */
export class SimObjects {
  readonly all = new Map<string, SimObject>();
  readonly #judged = new Set<string>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  port(): Supervisors {
    return {
      start: (ref, fence) => this.#invoke(ref, (loop) => loop.start(ref, fence)),
      poke: (ref) => this.#invoke(ref, (loop) => loop.poke()),
    };
  }

  ring(taskId: string, token: string): void {
    const object = [...this.all.values()].find(({ ref }) => ref.taskId === taskId);
    if (object !== undefined)
      void this.#invoke(object.ref, (loop) => loop.ring(token)).catch(() => {});
  }

  /** Somebody opens the task's stream: the object looks every second while it is open. */
  watch(ref: TaskRef, forMs: number): void {
    const object = this.#find(ref);
    object.watchedUntilMs = this.#world.nowMs + forMs;
    const look = () => {
      if (this.#world.nowMs >= object.watchedUntilMs) return;
      void this.#invoke(ref, (loop) => loop.advance()).catch(() => {});
      this.#world.timeline.after(5_000, look);
    };
    look();
  }

  /** Lets every alarm ring now, as at the end of a history. */
  async ringAllAlarms(): Promise<void> {
    for (const { ref } of this.all.values()) await this.#ringUntilAnswered(ref);
  }

  /** An object that is evicted while its alarm rings is made anew, and the alarm rings again. */
  async #ringUntilAnswered(ref: TaskRef): Promise<void> {
    try {
      await this.#invoke(ref, (loop) => loop.wake());
    } catch (error) {
      if (!(error instanceof ObjectReset)) throw error;
      await this.#ringUntilAnswered(ref);
    }
  }

  /** Nobody has work left, but for forgetting. */
  areDone(): boolean {
    return [...this.all.values()].every(({ memory }) =>
      memory.attempts().every(({ phase }) => phase === "done"),
    );
  }

  /** Whether the attempt with this execution got its report, so that it holds all of its events. */
  wasJudged(executionId: string): boolean {
    return this.#judged.has(executionId);
  }

  evict(object: SimObject): void {
    if (object.instance === null) return;
    this.#world.trace.tell(this.#world.nowMs, `supervisor ${object.ref.taskId}`, "is evicted");
    object.instance.life.die();
    object.instance = null;
  }

  async #invoke<T>(ref: TaskRef, work: (loop: SupervisorLoop) => Promise<T>): Promise<T> {
    const object = this.#find(ref);
    const instance = object.instance ?? this.#construct(object);
    object.instance = instance;
    const answer = await Promise.race([work(instance.loop), instance.life.died]);
    if (answer !== "died") return answer;
    if (object.instance === instance) object.instance = null;
    throw new ObjectReset("The object was reset.");
  }

  #find(ref: TaskRef): SimObject {
    const name = `${ref.organizationId}/${ref.taskId}`;
    const known = this.all.get(name);
    if (known !== undefined) return known;
    const object: SimObject = {
      ref,
      memory: memorySupervisor(() => this.#world.nowMs),
      instance: null,
      alarmRuns: false,
      alarmTries: 0,
      watchedUntilMs: 0,
    };
    this.all.set(name, object);
    return object;
  }

  #construct(object: SimObject): Instance {
    const world = this.#world;
    const life = world.calls.newLife(`supervisor ${object.ref.taskId}`);
    const deps = world.depsOf(life);
    const memory = this.#gatedMemory(object, life);
    const { loop } = superviseWith({
      ...deps,
      memory,
      watched: () => object.watchedUntilMs > world.nowMs,
      agentOf: (name) => deps.agents.get(name) ?? null,
      policy: world.objectsPolicy(),
    });
    return { life, loop };
  }

  /**
   * What an instance writes is durable when its next call goes out, not before: one that is cut off at that call
   * may lose what it wrote since the call before it.
   */
  #gatedMemory(object: SimObject, life: Life): MemorySupervisor {
    const { memory } = object;
    let durable = memory.snapshot();
    life.onCall = () => {
      durable = memory.snapshot();
    };
    life.onCutOff = () => {
      if (this.#world.chance.happens(0.5)) memory.restore(durable);
      this.#armTimer(object);
    };
    return {
      ...memory,
      setWakeAt: async (atMs) => {
        if (life.isDead()) return;
        await memory.setWakeAt(atMs);
        this.#armTimer(object);
      },
      save: (attempt) => {
        if (life.isDead()) return;
        this.#tellPhase(object, attempt);
        if (attempt.report !== null) this.#judged.add(attempt.executionId ?? "");
        memory.save(attempt);
      },
      append: (...args) => {
        if (!life.isDead()) memory.append(...args);
      },
    };
  }

  #tellPhase({ memory, ref }: SimObject, { fence, phase }: Attempt): void {
    const was = memory.attempts().find((known) => known.fence === fence)?.phase;
    if (was !== phase)
      this.#world.trace.tell(
        this.#world.nowMs,
        `supervisor ${ref.taskId}`,
        `attempt ${fence}: ${was ?? "nothing"} → ${phase}`,
      );
  }

  #armTimer(object: SimObject): void {
    const atMs = object.memory.wakeAtMs();
    if (atMs !== null) this.#world.timeline.at(atMs, () => void this.#ringAlarm(object));
  }

  async #ringAlarm(object: SimObject): Promise<void> {
    const dueMs = object.memory.wakeAtMs();
    if (object.alarmRuns || dueMs === null || dueMs > this.#world.nowMs) return;
    object.alarmRuns = true;
    object.memory.clearWake();
    if (this.#world.strikes("eviction"))
      this.#world.timeline.after(this.#world.chance.below(2_000), () => this.evict(object));
    const ended = await this.#invoke(object.ref, (loop) => loop.wake()).then(
      () => "well" as const,
      () => "badly" as const,
    );
    object.alarmRuns = false;
    this.#afterAlarm(object, ended);
  }

  #afterAlarm(object: SimObject, ended: "well" | "badly"): void {
    object.alarmTries = ended === "well" ? 0 : object.alarmTries + 1;
    if (
      object.memory.wakeAtMs() === null &&
      ended === "badly" &&
      object.alarmTries <= maxAlarmTries
    )
      void object.memory.setWakeAt(this.#world.nowMs + 2_000 * 2 ** object.alarmTries);
    this.#armTimer(object);
  }
}

class ObjectReset extends Error {}
