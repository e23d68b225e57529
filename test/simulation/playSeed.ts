import { createHash } from "node:crypto";
import type { Ids } from "../../orchestrator/worker/domain/ports/ids.ts";
import { putPatchSet } from "./memory/put.ts";
import { patchSetKey } from "./memory/tables.ts";
import { memoryStores } from "./memoryStores.ts";
import { chanceOf } from "./world/chance.ts";
import { History, type HistoryResult } from "./world/history.ts";
import type { SimStores, View } from "./world/simStores.ts";
import type { WorldOptions } from "./world/world.ts";

/**
 * The simulation's own process: guards can be taken away in it, and hashes settle at once, since a thread pool
 * would bring back chance.
 */
export function prepareProcess(): void {
  Object.assign(globalThis, { SIMULATION: true });
  const digest = async (_algorithm: string, bytes: Uint8Array) => {
    const hash = createHash("sha256").update(bytes).digest();
    return hash.buffer.slice(hash.byteOffset, hash.byteOffset + hash.byteLength);
  };
  Object.defineProperty(crypto.subtle, "digest", { value: digest, configurable: true });
}

/** Ids that count, so that a seed makes the same ones each time. */
export function countingIds(): Ids {
  let count = 0;
  return {
    next: (prefix) => {
      count += 1;
      return `${prefix}_${String(count).padStart(26, "0")}`;
    },
    token: () => {
      count += 1;
      return `token-${count}`;
    },
  };
}

export type SeedOptions = Partial<Omit<WorldOptions, "seed" | "ids" | "stores">> & {
  openStores?: (ids: Ids) => SimStores;
  tasks?: number;
  /** A history of many tasks of one organization and one of another, in place of the usual one. */
  crowd?: number;
};

/** Plays the history of one seed. */
export function playSeed(seed: number, options: SeedOptions = {}): Promise<HistoryResult> {
  const ids = countingIds();
  const { openStores = openMemory, tasks = tasksOf(seed), crowd = 0, ...world } = options;
  // Stores take more or fewer ids for rows of their own; what the core is given must not depend on that.
  const stores = openStores(countingIds());
  return new History({ ...world, seed, ids, stores }).play(tasks, crowd);
}

const tasksOf = (seed: number): number => chanceOf(seed ^ 0x5eed).between(4, 9);

export function openMemory(ids: Ids): SimStores {
  const stores = memoryStores(ids);
  const { tables } = stores;
  let seenVersion = -1;
  let seen: View | null = null;
  return {
    ...stores,
    version: () => tables.version,
    remake: async (patch, treeId) => {
      const row = tables.patchSets.get(patchSetKey({ ...patch, patchSetId: patch.id }));
      if (row === undefined) return;
      putPatchSet(tables, { ...row, patch: { ...row.patch, treeId } });
      tables.version += 1;
    },
    view: async () => {
      if (seen === null || seenVersion !== tables.version) {
        seenVersion = tables.version;
        seen = viewOf(tables);
      }
      return seen;
    },
  };
}

const viewOf = (tables: ReturnType<typeof memoryStores>["tables"]): View => ({
  tasks: [...tables.tasks.values()].map(({ task }) => task),
  executions: [...tables.executions.values()],
  patchSets: [...tables.patchSets.values()].map(({ patch }) => patch),
  notices: [...tables.notices.values()],
  deadLetters: [...tables.deadLetters.values()],
  orders: [...tables.orders.values()].map(({ organizationId, order }) => ({
    organizationId,
    ...order,
  })),
});
