import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { Task } from "../../../orchestrator/worker/domain/task.ts";
import { revertPatch } from "../../../orchestrator/worker/services/tasks/revertPatch.ts";
import type { Principal } from "../../../shared/contracts/identity.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { Wish } from "./people.ts";
import type { World, WorldDeps } from "./world.ts";

/** Somebody wants a patch taken back: of whom, and under which key he asks. */
export type RevertWish = { organizationId: string; patchSetId: string; key: string };

const minuteMs = 60_000;
/** Each makes work that may be taken back as well, and a history has to end. */
const mostWishes = 5;

/** What somebody does about it. */
type Doing = {
  ask(wish: RevertWish): void;
  submitAt(atMs: number, wish: Wish): void;
  /** Something that somebody has in mind: no history is over before. */
  later(afterMs: number, work: () => Promise<void>): void;
};

/**
 * Just when a patch is on its way or in the code, or long after, somebody wants it taken back; at times twice, and
 * each wish may be sent twice. Others have the order go on meanwhile. Reverts are taken back as well.
 */
export function revertSoon(
  world: World,
  { organizationId, projectId, orderId, id, status, outcome }: Task,
  doing: Doing,
): void {
  const isOnItsWay = status === "validating" || status === "delivering";
  const isIn = status === "completed" && outcome?.code === "delivered";
  const isEnough = (world.injected.get("revert") ?? 0) >= mostWishes;
  if (isEnough || !(isOnItsWay || isIn) || !world.strikes("revert")) return;
  const { chance, nowMs } = world;
  // A task whose branch has moved is there twice.
  const which = `of ${id}, ${status} at ${nowMs}`;
  const project = projectId.slice(projectId.lastIndexOf("_") + 1);
  for (const more of ["more", "yet more"].filter(() => chance.happens(0.3))) {
    const wish = { organizationId, project, orderId, key: `${more} ${which}` };
    doing.submitAt(nowMs + chance.below(10 * minuteMs), wish);
  }
  for (const again of ["revert", "revert again"].slice(0, chance.happens(0.4) ? 2 : 1))
    askSoon(world, { organizationId, taskId: id }, `${again} ${which}`, doing);
}

/** Under one key, at times sent twice. */
function askSoon(
  world: World,
  { organizationId, taskId }: TaskRef,
  key: string,
  { ask, later }: Doing,
): void {
  const { chance } = world;
  const times = world.strikes("request_doubled") ? 2 : 1;
  later(chance.below(chance.happens(0.5) ? 200 : 20 * minuteMs), async () => {
    const { patchSets } = await world.stores.view();
    const patch = patchSets.findLast((one) => one.taskId === taskId);
    if (patch === undefined) return;
    for (let sent = 0; sent < times; sent += 1) ask({ organizationId, patchSetId: patch.id, key });
  });
}

/** The id of the task that takes it back; null = it is refused, since the patch is not in the code. */
export async function revertAsPerson(
  deps: WorldDeps,
  principal: Principal,
  { patchSetId, key }: RevertWish,
): Promise<string | null> {
  try {
    const { view } = await revertPatch(deps, principal, patchSetId, { reason: key }, key);
    return view.id;
  } catch (error) {
    if (error instanceof SwitchyardError && error.code === "patch_not_delivered") return null;
    throw error;
  }
}
