import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../scripts/demo/repository.ts";
import { openWorld, submit, untilToolUse, type World, watchToEnd } from "../e2e/kit/local.ts";
import { docker, execIn, projectFolder } from "./kit/docker.ts";

let world: World;

const containers = async (): Promise<string[]> =>
  (await docker("ps", "--filter", "name=AgentContainer", "--format", "{{.ID}} {{.Names}}"))
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("-proxy"))
    .map((line) => line.split(" ")[0] ?? "");

beforeAll(async () => {
  const onLine = process.env.SHOW_LINES
    ? (from: string, line: string) => console.log(`[${from}] ${line}`)
    : () => {};
  // The orchestrator has no containers of its own here: those that there are belong to the factory.
  world = await openWorld({
    factory: path.join(projectFolder, "apps/agent-factory/wrangler.jsonc"),
    settings: { factory: "agent-factory" },
    onLine,
  });
});
afterAll(() => world.close());

describe("a task of a project that names a factory's containers", () => {
  it("goes from an HTTP request to a verified commit, and the container is gone with it", async () => {
    const base = await git(world.repository, "rev-parse", "HEAD");

    // What the commands need is in the factory's image alone.
    const validation = [
      { name: "npm test", argv: ["npm", "test"], timeoutMs: 60_000 },
      { name: "make", argv: ["make", "--version"], timeoutMs: 60_000 },
    ];

    const { id } = await submit(world, { validation });
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({
      status: "completed",
      execution: { status: "succeeded", factory: "agent-factory" },
      patch: { status: "delivered", validation: { status: "passed", place: "container" } },
    });
    expect(task.patch?.validation?.commands[1]?.tail).toContain("GNU Make");
    expect(JSON.stringify(events)).not.toContain("canary-key-of-the-model");
    expect(await git(world.repository, "rev-parse", `${task.commit?.sha}^`)).toBe(base);
    for (let tries = 0; (await containers()).length > 0; tries += 1) {
      if (tries > 100) expect.fail("the container of a run that is over goes on");
      await sleep(100);
    }
  });

  it("is worked on in the factory's image, where the key is not, and denied hosts are told", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world);
    await untilToolUse(world, id);
    const [container = ""] = await containers();

    const make = await execIn(container, ["make", "--version"]);
    const look = [
      ...["sh", "-c"],
      "cat /proc/[0-9]*/environ; grep -rhoE .?canary-key-of-the-mode[l] /work /var/lib/switchyard /tmp",
    ];
    const held = [await execIn(container, look), await execIn(container, look, "agent")];
    const asked = await execIn(container, [
      ...["node", "-e"],
      "fetch('http://evil.example.com/').then((r) => console.log(r.status), (e) => console.log(e.cause))",
    ]);
    await world.client.cancel(id);
    const { task, events } = await watchToEnd(world, id);

    expect(make.output).toContain("GNU Make");
    const found = held.map(({ output }) => output).join();
    expect(found).toContain("GEMINI_API_KEY=switchyard-run-");
    expect(found).not.toContain("canary-key-of-the-model");
    expect(asked.output).toBe("403");
    expect(events.map(({ event }) => event)).toContainEqual({
      type: "egress_denied",
      host: "evil.example.com",
      because: "host_not_allowed",
    });
    expect(task.status).toBe("cancelled");
  });
});
