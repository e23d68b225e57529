import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../scripts/demo/repository.ts";
import { factoryBase } from "../../scripts/local/containerImage.ts";
import { type PinnedAgent, pinnedAgents } from "../../shared/agentPins.ts";
import { canaryKey, submit, untilToolUse, watchToEnd } from "../e2e/kit/local.ts";
import { agentCalls } from "./kit/agentCalls.ts";
import { type ContainerWorld, openContainerWorld } from "./kit/containerWorld.ts";
import { docker, execIn } from "./kit/docker.ts";

let world: ContainerWorld;

/** What each agent's program is called. */
const programOf: Readonly<Record<PinnedAgent, RegExp>> = {
  "claude-code": /\/claude /,
  gemini: /gemini\.js /,
  codex: /\/codex /,
  copilot: /\/copilot /,
  opencode: /\/opencode /,
};

const play = (agent: PinnedAgent, scenario: string) =>
  world.client.putProvider(agent, {
    apiEndpoint: `${world.model.url}/s/${scenario}/v1`,
    defaultModel: agentCalls[agent].model,
  });

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
  world = await openContainerWorld({
    image: factoryBase,
    keyNames: pinnedAgents.map((agent) => agentCalls[agent].key),
    onLine,
  });
});
afterAll(() => world.close());

describe("the commands of a project", () => {
  it("run in a clean container, where nothing is that is anybody's", async () => {
    const probe = await readFile(path.join(import.meta.dirname, "kit/probe.mjs"), "utf8");
    const argv = ["node", "--input-type=module", "-e", probe, world.repository];
    const timeoutMs = 60_000;
    const validation = [
      { name: "probe", argv, timeoutMs },
      { name: "npm test", argv: ["npm", "test"], timeoutMs },
    ];

    const { id } = await submit(world, { provider: "gemini", validation });
    const { task, events } = await watchToEnd(world, id);

    expect(task.patch?.validation).toMatchObject({ status: "passed", place: "container" });
    expect(task.status).toBe("completed");
    const [verdict] = task.patch?.validation?.commands ?? [];
    const found = JSON.parse(verdict?.tail.trimEnd().split("\n").at(-1) ?? "");
    expect(found).toMatchObject(nothing);
    expect(Object.keys(found.env).join()).not.toMatch(/TOKEN|KEY|SECRET(?!S)/);
    expect(JSON.stringify([task, events])).not.toContain(canaryKey);
    expect(events.map(({ event }) => event)).toContainEqual({
      type: "egress_denied",
      host: "evil.example.com",
      because: "host_not_allowed",
    });
    await world.untilNoContainer();
    const whole = await readOutput(task.patch?.id ?? "", 0);
    expect(whole.length).toBe(verdict?.output?.bytes);
    expect(whole.endsWith(verdict?.tail ?? "?")).toBe(true);
  });

  it("come to a verdict in another container when theirs is killed", async () => {
    const argv = ["node", "-e", "setTimeout(() => {}, 8000)"];
    const validation = [{ name: "slow", argv, timeoutMs: 60_000 }];
    const { id } = await submit(world, { provider: "gemini", validation });
    for await (const { event } of world.client.events(id))
      if (event.type === "command_started") break;
    const [first = ""] = await world.containers();

    await docker("kill", "--signal", "KILL", first);
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({
      status: "completed",
      patch: { validation: { status: "passed", place: "container" } },
    });
    const started = events.filter(({ event }) => event.type === "command_started");
    expect(started).toHaveLength(2);
    await world.untilNoContainer();
  });
});

/** What the probe gets where there is nothing to get. */
const nothing = {
  uid: 10_001,
  environOfRunner: { refused: "EACCES" },
  stateOfRunner: { refused: "EACCES" },
  otherWorkspaces: { refused: "EACCES" },
  homeOfRoot: { refused: "EACCES" },
  repositoryOfThePerson: false,
  runner: { got: "401" },
  elsewhere: { got: "403" },
  elsewhereByHttps: { got: "403" },
  model: { got: "403" },
};

async function readOutput(patchId: string, command: number): Promise<string> {
  const { url, token } = world.deployment;
  const response = await fetch(`${url}/api/v1/patches/${patchId}/validation/${command}/output`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  return response.text();
}

describe("a task whose agent works in a container", () => {
  it("goes from an HTTP request to a verified commit, and the container is gone with it", async () => {
    const base = await git(world.repository, "rev-parse", "HEAD");

    const { id } = await submit(world, { provider: "gemini" });
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({
      status: "completed",
      provider: "gemini",
      execution: { status: "succeeded" },
      patch: { status: "delivered", validation: { status: "passed" } },
    });
    const cwd = events.flatMap(({ event }) => (event.type === "init" ? [event.cwd] : []));
    expect(JSON.stringify(events)).not.toContain(canaryKey);
    expect(events.map(({ id: at }) => at)).toEqual(events.map((_, index) => `1-${index + 1}`));
    expect(await git(world.repository, "rev-parse", `${task.commit?.sha}^`)).toBe(base);
    expect(cwd.length).toBeLessThanOrEqual(1);
    await world.untilNoContainer();
    expect(storedKeys()).toContainEqual(
      expect.stringMatching(new RegExp(`^org_\\w+/${id}/sessions/gemini/[\\w-]+\\.ndjson$`)),
    );
  });

  it("keeps the last events of a container that is told to end, and is tried again", async () => {
    await world.play("slow-tool");
    const { id } = await submit(world, { provider: "gemini" });
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
    const { id } = await submit(world, { provider: "gemini" });
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

/** Looks into the container of a run again and again, until it is gone: who runs what, whose environment holds the key. */
async function watchInside(taskId: string): Promise<string> {
  for await (const { event } of world.client.events(taskId))
    if (event.type === "agent_started") break;
  const [id = ""] = await world.containers();
  const look = `ps -eo user=,args= | grep -v ' sh -c '; grep -la ${canaryKey} /proc/[0-9]*/environ; du -sm /work`;
  const { output } = await execIn(id, [
    "sh",
    "-c",
    `while :; do ${look}; sleep 0.2; done 2>/dev/null`,
  ]);
  return output;
}

/** The last letters of every credential that the model was shown. */
const credentialsShown = () =>
  new Set(world.model.requests.flatMap(({ credential = {} }) => Object.values(credential)));

describe.each(pinnedAgents)("%s in a container", (agent) => {
  it("mends a project as a user of its own, its key outside and everything unpacked before", async () => {
    await play(agent, "fix");
    world.model.requests.length = 0;

    const { id } = await submit(world, { provider: agent });
    const [inside, { task, events }] = await Promise.all([watchInside(id), watchToEnd(world, id)]);

    expect(task).toMatchObject({
      status: "completed",
      provider: agent,
      execution: { status: "succeeded", usage: { inputTokens: expect.any(Number) } },
      patch: { status: "delivered", validation: { status: "passed" } },
    });
    expect(events.filter(({ event }) => event.type === "egress_denied")).toEqual([]);
    expect([...credentialsShown()]).toEqual([expect.stringMatching(`…${canaryKey.slice(-4)}$`)]);
    const lines = inside.split("\n");
    const asked = lines.filter((line) => programOf[agent].test(line));
    expect([...new Set(asked.map((line) => line.split(" ")[0]))]).toEqual(["agent"]);
    expect(lines.filter((line) => line.startsWith("/proc"))).toEqual([]);
    expect(inside + JSON.stringify(events)).not.toContain(canaryKey);
    const megabytes = [...inside.matchAll(/^(\d+)\t\/work$/gm)].map(([, size]) => Number(size));
    expect(Math.max(...megabytes)).toBeLessThan(60);
  });
});

describe.each(["codex", "copilot", "opencode"] as const)("%s in a container", (agent) => {
  it("is told by the model service that its key is wrong, and the task says so", async () => {
    await play(agent, "error-401");

    const { id } = await submit(world, { provider: agent });
    const { task } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "failed", outcome: { code: "provider_auth" } });
  });
});
