import { aTask } from "../../builders.ts";
import { projectId } from "./people.ts";
import type { World } from "./world.ts";

/** One organization with many tasks, another with a single one that comes after them. */
export type Crowd = {
  /** Claims of the crowd while the single task waited. */
  claimsBefore: number;
  /** Whether the single task was claimed. */
  isServed: boolean;
};

const deadlineMs = 86_400_000;

export async function gatherCrowd(world: World, size: number): Promise<Crowd> {
  const crowdIds: string[] = [];
  for (let at = 0; at < size; at += 1) crowdIds.push(await queue(world, "org_a"));
  let single: string | null = null;
  const crowd: Crowd = { claimsBefore: 0, isServed: false };
  const { claim } = world.stores.tasks;
  world.stores.tasks.claim = async (input) => {
    const claimed = await claim(input);
    if (claimed.kind === "lost" || single === null || crowd.isServed) return claimed;
    if (input.ref.taskId === single) crowd.isServed = true;
    else crowd.claimsBefore += 1;
    return claimed;
  };
  world.timeline.at(60_000, () => void queue(world, "org_b").then((id) => (single = id)));
  pester(world, crowdIds);
  return crowd;
}

/** The crowd's owner never tires of asking for his tasks. */
function pester(world: World, taskIds: readonly string[]): void {
  world.timeline.after(20, () => {
    const id = taskIds[world.chance.below(taskIds.length)];
    world.queues.post({ version: 1, organization_id: "org_a", task_id: id });
    pester(world, taskIds);
  });
}

/** A task with an order of its own, accepted and on the queue. */
async function queue(world: World, organizationId: string): Promise<string> {
  const id = world.ids.next("task");
  const task = aTask({
    organizationId,
    id,
    projectId: projectId(organizationId, "one"),
    orderId: `ORD-${id.slice(5)}`,
    source: { kind: "local", path: `/repos/${organizationId}-one` },
    prompt: { kind: "inline", text: `do ${id}` },
    limits: { wallClockMs: 3_600_000, silenceMs: 600_000, maxAttempts: 2 },
    deadlineAtMs: world.nowMs + deadlineMs,
    createdAtMs: world.nowMs,
  });
  const log = { actor: "user:ada", action: "task.accepted", message: "accepted" };
  const sweepAtMs = world.nowMs + 600_000;
  await world.stores.tasks.accept({ task, idempotency: null, sweepAtMs, log });
  world.queues.post({ version: 1, organization_id: organizationId, task_id: id });
  return id;
}
