import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { agentPins } from "../../shared/agentPins.ts";
import type { NumberedEvent } from "../../shared/contracts/agentEvent.ts";
import { playScenario, scriptedModel } from "../runner/kit/modelServer.ts";
import { finishPatch, newFile, patchRequest, setOf } from "../runner/kit/patchRuns.ts";
import { commitAll, git, makeRepository, temporaryFolder } from "../runner/kit/repositories.ts";
import { agentCalls } from "./kit/agentCalls.ts";
import { docker, execIn, images } from "./kit/docker.ts";
import {
  containerRun,
  finishInContainer,
  type RunnerContainer,
  reachableFromContainers,
  startContainer,
  uploadBundle,
} from "./kit/runnerContainer.ts";

const key = "sk-test-SECRET/of+the=model0001";

function failingRepository(): string {
  const folder = path.join(temporaryFolder("source"), "repo");
  scriptedModel.makeFailingRepo(folder);
  git(folder, "init", "--quiet");
  commitAll(folder, "first");
  return folder;
}

const requestOf = async (
  container: RunnerContainer,
  agent: keyof typeof agentCalls,
  scenario: string,
) =>
  containerRun(await uploadBundle(container, failingRepository()), {
    agent,
    model: agentCalls[agent].model,
    endpoint: await reachableFromContainers(await playScenario(scenario)),
    secrets: { [agentCalls[agent].key]: key },
  });

async function untilEvent(
  { client }: RunnerContainer,
  isIt: (event: NumberedEvent["event"]) => boolean,
): Promise<void> {
  for await (const { event } of client.events("/runs/exec_1", 0, 60_000)) if (isIt(event)) return;
  expect.fail("the run ended first");
}

/** All that one open stream brings until it ends. */
async function eventsOf({ client }: RunnerContainer): Promise<NumberedEvent[]> {
  const events: NumberedEvent[] = [];
  for await (const event of client.events("/runs/exec_1", 0, 60_000)) events.push(event);
  return events;
}

describe("the base image", () => {
  it("holds what the runner needs, and every pinned agent in its version", async () => {
    const container = await startContainer();

    const { body } = await container.client.answer("GET", "/health");
    const programs = await execIn(container.id, [
      "sh",
      "-c",
      "git --version && python3 --version && node --version && patch_manager.py --help >/dev/null && switchyard-agents",
    ]);

    const versions = Object.entries(agentPins).map(([name, version]) => [name, { version }]);
    const agents = Object.fromEntries(versions);
    expect(body).toMatchObject({ ok: true, value: { role: "agents", live: null } });
    expect((body as { value: { agents: object } }).value.agents).toEqual(agents);
    expect(programs).toMatchObject({ exitCode: 0, output: expect.stringMatching(/gemini@/) });
  });

  it("keeps its state from the agents' user", async () => {
    const container = await startContainer();

    const look = await execIn(container.id, ["ls", "/var/lib/switchyard"], "agent");

    expect(look).toMatchObject({ exitCode: 2, output: expect.stringMatching(/denied/) });
  });

  it("is what a factory's image builds on", async () => {
    const container = await startContainer({ image: images.factory });

    expect((await execIn(container.id, ["make", "--version"])).exitCode).toBe(0);
    expect((await container.client.answer("GET", "/health")).status).toBe(200);
  });
});

describe("an agent in a container", () => {
  it("mends a project as a user that is not the runner's, and leaves nothing", async () => {
    const container = await startContainer();
    const request = await requestOf(container, "claude-code", "fix");

    await container.client.put("/runs/exec_1", request);
    await untilEvent(container, ({ type }) => type === "agent_started");
    const users = await execIn(container.id, ["ps", "-eo", "user=,args="]);
    const { report, events } = await finishInContainer(container, request);

    expect(users.output).toMatch(/^agent .*claude/m);
    expect(users.output).toMatch(/^root .*server\.ts/m);
    expect(report).toMatchObject({
      fault: null,
      error: null,
      terminal: { ok: true },
      patch: { files: { "src/shipping.js": { op: "edit" } } },
    });
    expect(JSON.stringify(events)).not.toContain(key);
    expect((await execIn(container.id, ["ls", "-A", "/work"])).output).toBe("");
    expect((await execIn(container.id, ["ps", "-u", "agent", "-o", "args="])).output).toBe("");
  });
});

describe("a container that is told to end", () => {
  it("flushes the events of its run and says that it was interrupted", async () => {
    const container = await startContainer();
    await container.client.put("/runs/exec_1", await requestOf(container, "gemini", "hang"));
    const following = eventsOf(container);
    await untilEvent(container, ({ type }) => type === "agent_started");
    await sleep(500);

    const stoppedAt = performance.now();
    await docker("stop", "--time", "30", container.id);
    const tookMs = performance.now() - stoppedAt;
    const events = await following;

    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.event).toMatchObject({ type: "interrupted", reason: "shutdown" });
    expect(tookMs).toBeLessThan(20_000);
    expect(await docker("inspect", "-f", "{{.State.ExitCode}}", container.id)).toBe("0");
  });
});

describe("a project's own commands", () => {
  it("run as the unprivileged user, with no secret and no way to the state", async () => {
    const repository = makeRepository({ "a.txt": "one\n" });
    const container = await startContainer({
      command: ["--role", "patches", "--repo", "/srv"],
      flags: ["--volume", `${repository}:/srv/repo:ro`],
    });
    const look =
      "exec 2>&1; id -u; env; cat /proc/1/environ; ls /var/lib/switchyard; touch made-here && echo made";
    const set = setOf(repository, { "b.txt": newFile("two\n") });
    const opened = { ...container, runner: undefined as never, state: "", logged: [] };

    const { report } = await finishPatch(opened, {
      ...patchRequest("/srv/repo", set),
      validation: {
        commands: [{ name: "look", argv: ["sh", "-c", look], timeoutMs: 20_000 }],
      },
    });

    if (report.kind !== "applied") return expect.fail(JSON.stringify(report));
    const tail = report.validation.commands[0]?.tail ?? "";
    expect(tail).toMatch(/^10001$/m);
    expect(tail).toMatch(/environ: Permission denied/);
    expect(tail).toMatch(/switchyard.*: Permission denied/);
    expect(tail).toMatch(/^made$/m);
    expect(tail).not.toContain(container.token);
    expect(tail).not.toMatch(/TOKEN|NODE_EXTRA/);
  });
});
