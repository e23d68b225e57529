import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import { answerTask } from "../../../orchestrator/worker/services/tasks/answerTask.ts";
import type { Once } from "./approvers.ts";
import type { World } from "./world.ts";

/** Somebody reads what an agent asks, at times thinks about it while the world goes on, and answers. */
export function answerAsPerson(world: World, ref: TaskRef, once: Once): Promise<unknown> {
  const thinksMs = world.chance.happens(0.5) ? 0 : world.chance.below(60_000);
  return once("person", (deps) => {
    const findContext: typeof deps.tasks.findContext = async (of) => {
      const seen = await deps.tasks.findContext(of);
      if (thinksMs > 0) await world.timeline.sleep(thinksMs);
      return seen;
    };
    const tasks = { ...deps.tasks, findContext };
    return answerTask({ ...deps, tasks }, ref, "user:ada", "the first one");
  });
}
