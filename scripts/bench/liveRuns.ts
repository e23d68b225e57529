import { execFileSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import {
  openWorld,
  processesOf,
  submit,
  untilToolUse,
  type World,
  watchToEnd,
} from "../../test/e2e/kit/local.ts";
import { factoryBase } from "../local/containerImage.ts";

/** Milliseconds, one figure a task. */
export type ColdStart = { toStarted: number[]; toFirstWord: number[] };
export type DeadAgent = { watched: number[]; unwatched: number[] };

const turns = 5;

/**
 * From the answer "accepted" to the event that the agent's program runs, and to the first event that is the agent's own
 * word. Gemini CLI and the scripted model, one task at a time, every one in a container of its own.
 */
export async function measureColdStart(): Promise<ColdStart> {
  const world = await openWorld({ image: factoryBase });
  try {
    const figures: ColdStart = { toStarted: [], toFirstWord: [] };
    for (let turn = 0; turn < turns; turn += 1) {
      const { id } = await submit(world);
      const acceptedAt = performance.now();
      const seen = new Map<string, number>();
      for await (const { event } of world.client.events(id))
        if (!seen.has(event.type)) seen.set(event.type, performance.now() - acceptedAt);
      figures.toStarted.push(seen.get("agent_started") ?? Number.NaN);
      figures.toFirstWord.push(seen.get("init") ?? Number.NaN);
    }
    return figures;
  } finally {
    await world.close();
  }
}

/** From `kill -9` of an agent at work to the word of it: in the stream of a watcher, and in the task that nobody watches. */
export async function measureDeadAgent(): Promise<DeadAgent> {
  const world = await openWorld();
  try {
    await world.play("slow-tool");
    const figures: DeadAgent = { watched: [], unwatched: [] };
    for (let turn = 0; turn < turns; turn += 1) {
      figures.watched.push(await killWatched(world));
      figures.unwatched.push(await killUnwatched(world));
    }
    return figures;
  } finally {
    await world.close();
  }
}

async function killWatched(world: World): Promise<number> {
  const { id } = await submit(world, { limits: { maxAttempts: 1 } });
  let killedAt = Number.NaN;
  for await (const { event } of world.client.events(id)) {
    if (event.type === "tool_use") {
      await killAgent(world, id);
      killedAt = performance.now();
    }
    if (event.type === "agent_exited") break;
  }
  const toldAfter = performance.now() - killedAt;
  await watchToEnd(world, id);
  return toldAfter;
}

async function killUnwatched(world: World): Promise<number> {
  const { id } = await submit(world, { limits: { maxAttempts: 1 } });
  await untilToolUse(world, id);
  await killAgent(world, id);
  const killedAt = performance.now();
  while ((await world.client.task(id)).status === "running")
    await new Promise((resolve) => setTimeout(resolve, 20));
  return performance.now() - killedAt;
}

async function killAgent(world: World, taskId: string): Promise<void> {
  const executionId = (await world.client.task(taskId)).execution?.id ?? "";
  const [agent] = processesOf(executionId).filter(({ pid }) => isAgent(pid));
  if (agent === undefined) throw new Error("the agent is not there to be killed");
  process.kill(agent.pid, "SIGKILL");
}

const isAgent = (pid: number): boolean =>
  /gemini\.js/.test(execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }));
