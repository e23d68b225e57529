import type { Callbacks } from "../../../orchestrator/worker/domain/ports/callbacks.ts";
import type { World } from "./world.ts";

/** Who is told of an end: it keeps what it was sent, and refuses now and then. */
export class SimCallbacks {
  /** The ids of what arrived, by dedupe key, with every repetition. */
  readonly received = new Map<string, string[]>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  port(): Callbacks {
    return {
      send: async (notice) => {
        if (this.#world.strikes("callback_refused")) return { kind: "failed", because: "HTTP 503" };
        const ids = this.received.get(notice.dedupeKey) ?? [];
        this.received.set(notice.dedupeKey, [...ids, notice.id]);
        return { kind: "delivered" };
      },
    };
  }
}
