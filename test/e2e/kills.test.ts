import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findMarked } from "../../apps/agent-runner/processes/processTable.ts";
import {
  openWorld,
  processesOf,
  submit,
  untilToolUse,
  type World,
  watchToEnd,
} from "./kit/local.ts";

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const commandOf = (pid: number) =>
  execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });

/** The processes of a part of the deployment whose command line holds these words. */
const part = (name: string, words: string) =>
  findMarked([`SWITCHYARD_RUNNER=${world.deploymentId}`, `SWITCHYARD_EXECUTION=${name}`]).filter(
    ({ pid }) => commandOf(pid).includes(words),
  );

const started = async (scenario: string, request = {}) => {
  await world.play(scenario);
  const { id } = await submit(world, request);
  await untilToolUse(world, id);
  const executionId = (await world.client.task(id)).execution?.id ?? "";
  return { id, executionId };
};

describe("kill -9 in the middle of a run", () => {
  it("of the agent: the task fails, and nothing of the agent is left", async () => {
    const { id, executionId } = await started("slow-tool", { limits: { maxAttempts: 1 } });
    const [agent] = processesOf(executionId).filter(({ pid }) => /gemini\.js/.test(commandOf(pid)));
    expect(agent).toBeDefined();

    process.kill(agent?.pid ?? 0, "SIGKILL");
    const { task } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "incomplete" }, commit: null });
    expect(processesOf(executionId)).toEqual([]);
  });

  it("of the runner: its agent dies with it, and the task's next attempt completes", async () => {
    const { id, executionId } = await started("slow-tool");
    const [runner] = part("runner-agents", "agent-runner/server.ts");
    await world.play("fix");

    process.kill(runner?.pid ?? 0, "SIGKILL");
    await vi.waitFor(() => expect(processesOf(executionId)).toEqual([]), 15_000);
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "completed", fence: 2 });
    expect(events.some(({ event }) => event.type === "interrupted")).toBe(true);
    expect(world.notices.join()).toContain("The runner of agents ended (SIGKILL)");
  });

  it.each([
    [
      "its whole process group",
      () => {
        const [leader] = part("worker", "wrangler-dist/cli.js");
        process.kill(-(leader?.pid ?? 0), "SIGKILL");
      },
    ],
    [
      "its first process alone",
      () => {
        const [leader] = part("worker", "wrangler-dist/cli.js");
        process.kill(leader?.pid ?? 0, "SIGKILL");
      },
    ],
  ])("of wrangler (%s): the agent works on, and not an event is lost", async (_what, kill) => {
    const { id } = await started("patient-fix");

    kill();
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "completed", fence: 1 });
    expect(events.map(({ id: at }) => at)).toEqual(events.map((_, index) => `1-${index + 1}`));
    expect(events.filter(({ event }) => event.type === "result")).toHaveLength(1);
    expect(part("worker", "wrangler-dist/cli.js")).toHaveLength(1);
  });

  it("of the runner of patches: the patch is applied anew", async () => {
    await world.play("fix");
    const { id } = await submit(world, {
      validation: [{ name: "slow", argv: ["sleep", "4"], timeoutMs: 60_000 }],
    });
    await vi.waitFor(async () => expect((await world.client.task(id)).status).toBe("validating"), {
      timeout: 60_000,
      interval: 100,
    });
    const [runner] = part("runner-patches", "agent-runner/server.ts");

    process.kill(runner?.pid ?? 0, "SIGKILL");
    const { task } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "completed", fence: 1, patch: { status: "delivered" } });
  });
});
