import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../scripts/demo/repository.ts";
import { factoryBase } from "../../scripts/local/containerImage.ts";
import { submit, untilToolUse, watchToEnd } from "../e2e/kit/local.ts";
import { type ContainerWorld, openContainerWorld } from "./kit/containerWorld.ts";
import { docker } from "./kit/docker.ts";

let world: ContainerWorld;

beforeAll(async () => {
  const onLine = process.env.SHOW_LINES
    ? (from: string, line: string) => console.log(`[${from}] ${line}`)
    : () => {};
  world = await openContainerWorld({ image: factoryBase, onLine });
});
afterAll(() => world.close());

describe("a task whose agent works in a container", () => {
  it("goes from an HTTP request to a verified commit, and the container is gone with it", async () => {
    const base = await git(world.repository, "rev-parse", "HEAD");

    const { id } = await submit(world);
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({
      status: "completed",
      provider: "gemini",
      execution: { status: "succeeded" },
      patch: { status: "delivered", validation: { status: "passed" } },
    });
    const cwd = events.flatMap(({ event }) => (event.type === "init" ? [event.cwd] : []));
    expect(JSON.stringify(events)).not.toContain("canary-key-of-the-model");
    expect(events.map(({ id: at }) => at)).toEqual(events.map((_, index) => `1-${index + 1}`));
    expect(await git(world.repository, "rev-parse", `${task.commit?.sha}^`)).toBe(base);
    expect(cwd.length).toBeLessThanOrEqual(1);
    await world.untilNoContainer();
  });

  it("keeps the last events of a container that is told to end, and is tried again", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world);
    await untilToolUse(world, id);
    const [first = ""] = await world.containers();

    await docker("kill", "--signal", "TERM", first);
    const seen: { id: string; type: string }[] = [];
    for await (const { id: at, event } of world.client.events(id)) {
      seen.push({ id: at ?? "", type: event.type });
      if (at?.startsWith("2-") && event.type === "agent_started") break;
    }
    await world.client.cancel(id);
    await watchToEnd(world, id);

    const ofFirst = seen.filter(({ id: at }) => at.startsWith("1-"));
    expect(ofFirst.map(({ id: at }) => at)).toEqual(ofFirst.map((_, index) => `1-${index + 1}`));
    expect(ofFirst.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["tool_use", "agent_exited", "interrupted"]),
    );
    await world.untilNoContainer();
    await world.play("fix");
  });

  it("is tried again, once, when its container is killed, and a cancel ends the second", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world);
    await untilToolUse(world, id);
    const [first = ""] = await world.containers();

    const killedAt = performance.now();
    await docker("kill", "--signal", "KILL", first);
    let task = await world.client.task(id);
    while (task.execution?.fence === 1 || task.execution === null) {
      if (performance.now() - killedAt > 60_000) expect.fail(JSON.stringify(task));
      await sleep(200);
      task = await world.client.task(id);
    }
    for (let tries = 0; (await world.containers()).length === 0 && tries < 100; tries += 1)
      await sleep(100);
    const [second = ""] = await world.containers();
    await world.client.cancel(id);
    const { task: ended } = await watchToEnd(world, id);

    expect(second).not.toBe(first);
    expect(ended).toMatchObject({ status: "cancelled" });
    await world.untilNoContainer();
    await world.play("fix");
  });
});
