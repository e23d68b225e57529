import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../scripts/demo/repository.ts";
import { factoryBase } from "../../scripts/local/containerImage.ts";
import { openWorld, submit, untilToolUse, type World, watchToEnd } from "../e2e/kit/local.ts";
import { docker } from "./kit/docker.ts";

let world: World;

/** The containers of agents that are there now; not the network sidecars beside them. */
const containers = async (): Promise<string[]> =>
  (await docker("ps", "--filter", "name=AgentContainer", "--format", "{{.ID}} {{.Names}}"))
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("-proxy"))
    .map((line) => line.split(" ")[0] ?? "");

async function untilNoContainer(): Promise<void> {
  for (let tries = 0; (await containers()).length > 0; tries += 1) {
    if (tries > 100) expect.fail("the container of a run that is over goes on");
    await sleep(100);
  }
}

/** What lies in the R2 of this deployment. */
function storedKeys(): string[] {
  const folder = path.join(world.folder, "state/cloudflare/v3/r2/miniflare-R2BucketObject");
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  return files.flatMap((name) => {
    const database = new DatabaseSync(path.join(folder, name), { readOnly: true });
    const rows = database.prepare("select key from _mf_objects").all();
    database.close();
    return rows.map(({ key }) => String(key));
  });
}

beforeAll(async () => {
  const onLine = process.env.SHOW_LINES
    ? (from: string, line: string) => console.log(`[${from}] ${line}`)
    : () => {};
  world = await openWorld({ image: factoryBase, onLine });
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
    await untilNoContainer();
    expect(storedKeys()).toContainEqual(
      expect.stringMatching(new RegExp(`^org_\\w+/${id}/sessions/gemini/[\\w-]+\\.ndjson$`)),
    );
  });

  it("keeps the last events of a container that is told to end, and is tried again", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world);
    await untilToolUse(world, id);
    const [first = ""] = await containers();

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
    await untilNoContainer();
    await world.play("fix");
  });

  it("is tried again, once, when its container is killed, and a cancel ends the second", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world);
    await untilToolUse(world, id);
    const [first = ""] = await containers();

    const killedAt = performance.now();
    await docker("kill", "--signal", "KILL", first);
    let task = await world.client.task(id);
    while (task.execution?.fence === 1 || task.execution === null) {
      if (performance.now() - killedAt > 60_000) expect.fail(JSON.stringify(task));
      await sleep(200);
      task = await world.client.task(id);
    }
    for (let tries = 0; (await containers()).length === 0 && tries < 100; tries += 1)
      await sleep(100);
    const [second = ""] = await containers();
    await world.client.cancel(id);
    const { task: ended } = await watchToEnd(world, id);

    expect(second).not.toBe(first);
    expect(ended).toMatchObject({ status: "cancelled" });
    await untilNoContainer();
    await world.play("fix");
  });
});
