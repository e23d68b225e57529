import type { World, WorldDeps } from "./world.ts";

/** The ports of a person's answer that is held up for so long between what it has read and what it writes. */
export function heldUp({ timeline }: World, deps: WorldDeps, ms: number): WorldDeps {
  if (ms === 0) return deps;
  const late = <P extends object>(port: P, method: keyof P): P =>
    new Proxy(port, {
      get(target, name) {
        const run = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        if (name !== method) return run;
        return async (...args: unknown[]) => {
          await timeline.sleep(ms);
          return run(...args);
        };
      },
    });
  return {
    ...deps,
    tasks: late(deps.tasks, "answer"),
    patchSets: late(deps.patchSets, "approve"),
  };
}
