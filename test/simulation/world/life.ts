import { SwitchyardError } from "../../../shared/errors.ts";
import type { Chance } from "./chance.ts";
import type { FaultKind, FaultRates } from "./faults.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** One run of the core's code in one process: a request, a consumed message, a tick, a supervisor's object. */
export type Life = {
  readonly name: string;
  readonly died: Promise<"died">;
  isDead(): boolean;
  /** Cuts it off: from here on none of its calls comes back. */
  die(): void;
  /** What it has told so far is durable: called when a call leaves it. */
  onCall: () => void;
  /** It was cut off before its call had any effect. */
  onCutOff: () => void;
};

export type CallPoint = { number: number; side: "before" | "after" };

/** Who decides what goes wrong, and counts it. */
export type Fate = {
  rates: FaultRates;
  /** Whether faults happen at this time. */
  isActive(): boolean;
  count(kind: FaultKind): void;
  /** The one crash of a single-crash history. */
  crashAt: CallPoint | null;
};

export type CallKind = "store" | "runner" | "queue" | "artifacts" | "supervisor" | "other";

/** Calls of every await of the core: each takes time, may fail on either side of its effect, or be its process's last. */
export class Calls {
  awaits = 0;
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #fate: Fate;
  readonly #trace: Trace;
  /** Names of kinds that answer nothing at present. */
  readonly outages = new Set<CallKind>();

  constructor(timeline: Timeline, chance: Chance, fate: Fate, trace: Trace) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.#fate = fate;
    this.#trace = trace;
  }

  newLife(name: string): Life {
    let dead = false;
    const death = Promise.withResolvers<"died">();
    return {
      name,
      died: death.promise,
      isDead: () => dead,
      die() {
        dead = true;
        death.resolve("died");
      },
      onCall: () => {},
      onCutOff: () => {},
    };
  }

  async call<T>(life: Life, kind: CallKind, label: string, effect: () => Promise<T>): Promise<T> {
    if (life.isDead()) return never();
    this.awaits += 1;
    const number = this.awaits;
    await this.#pause();
    if (life.isDead()) return this.#comeLate(kind, label, effect);
    if (this.#crashes(number, "before")) {
      if (this.#fate.crashAt === null) void this.#comeLate(kind, label, effect);
      return this.#cutOff(life, label, "before");
    }
    this.#failBefore(kind, life, label, effect);
    life.onCall();
    const outcome = await settle(effect);
    if (life.isDead()) return never();
    if (this.#crashes(number, "after")) return this.#cutOff(life, label, "after");
    if (outcome.kind === "answered") this.#failAfter(kind, life, label);
    await this.#pause();
    if (life.isDead()) return never();
    if (outcome.kind === "threw") throw outcome.error;
    return outcome.value;
  }

  /**
   * What had been sent when its process died or its connection broke may still arrive; a stream cannot: it is the
   * connection.
   */
  #comeLate(kind: CallKind, label: string, effect: () => Promise<unknown>): Promise<never> {
    const isOnItsWay = (kind === "store" || kind === "runner") && !label.endsWith(".follow");
    if (isOnItsWay && !this.outages.has(kind) && this.#chance.happens(0.5))
      this.#timeline.after(this.#chance.below(maxLateMs), () => void settle(effect));
    return never();
  }

  #pause(): Promise<void> {
    return this.#timeline.sleep(this.#chance.below(20));
  }

  #crashes(number: number, side: CallPoint["side"]): boolean {
    const { crashAt } = this.#fate;
    if (crashAt !== null) return crashAt.number === number && crashAt.side === side;
    return this.#strikes(side === "before" ? "crash_before" : "crash_after");
  }

  #cutOff(life: Life, label: string, side: CallPoint["side"]): Promise<never> {
    this.#trace.tell(this.#timeline.nowMs, life.name, `✂ crash ${side} ${label}`);
    if (side === "before") life.onCutOff();
    life.die();
    return never();
  }

  /** A caller that was told of a failure, or that asks again, knows nothing of what is still on its way. */
  #failBefore(kind: CallKind, life: Life, label: string, effect: () => Promise<unknown>): void {
    if (this.outages.has(kind) || this.#strikes(failures[kind]?.before)) {
      this.#trace.tell(this.#timeline.nowMs, life.name, `✗ ${label} fails`);
      void this.#comeLate(kind, label, effect);
      throw errorOf(kind);
    }
  }

  #failAfter(kind: CallKind, life: Life, label: string): void {
    if (!this.#strikes(failures[kind]?.after)) return;
    this.#trace.tell(this.#timeline.nowMs, life.name, `✗ ${label}: done, but its answer is lost`);
    throw errorOf(kind);
  }

  #strikes(kind: FaultKind | undefined): boolean {
    if (kind === undefined || !this.#fate.isActive()) return false;
    if (!this.#chance.happens(this.#fate.rates[kind])) return false;
    this.#fate.count(kind);
    return true;
  }
}

/** How long a request may be under way. */
const maxLateMs = 15_000;

const failures: Partial<Record<CallKind, { before: FaultKind; after?: FaultKind }>> = {
  store: { before: "store_failed_before", after: "store_failed_after" },
  artifacts: { before: "store_failed_before", after: "store_failed_after" },
  runner: { before: "runner_failed_before", after: "runner_failed_after" },
  queue: { before: "send_failed", after: "send_failed" },
  supervisor: { before: "store_failed_before", after: "store_failed_after" },
};

function errorOf(kind: CallKind): Error {
  if (kind === "runner")
    return new SwitchyardError("runner_unreachable", "The runner does not answer.");
  if (kind === "store")
    return new SwitchyardError("store_unavailable", "The database did not answer.");
  return new Error(`The ${kind} did not answer.`);
}

type Settled<T> = { kind: "answered"; value: T } | { kind: "threw"; error: unknown };

async function settle<T>(effect: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { kind: "answered", value: await effect() };
  } catch (error) {
    return { kind: "threw", error };
  }
}

/** What a dead process waits for. */
export const never = (): Promise<never> => new Promise(() => {});

/** A port whose every method is a call of this life. */
export function throughCalls<P extends object>(
  calls: Calls,
  life: Life,
  kind: CallKind,
  name: string,
  port: P,
): P {
  return new Proxy(port, {
    get(target, method) {
      const value: unknown = Reflect.get(target, method);
      if (typeof value !== "function") return value;
      const run = value as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) =>
        calls.call(life, kind, `${name}.${String(method)}`, () => run.apply(target, args));
    },
  });
}
