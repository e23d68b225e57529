import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { pinnedLineAgents } from "../../apps/agent-runner/agents/registry.ts";
import { agentPins } from "../../shared/agentPins.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import { withInstalled } from "./kit/installed.ts";
import { scriptedModel } from "./kit/modelServer.ts";
import { processesOf, until, untilRunning } from "./kit/processes.ts";
import { particulars } from "./kit/realAgents.ts";
import { realRequest, repositoryOf } from "./kit/realRuns.ts";
import { temporaryFolder } from "./kit/repositories.ts";
import {
  endProcess,
  type RunnerProcess,
  serverProgram,
  spawnRunner,
  testToken,
} from "./kit/runners.ts";
import { runRequest, waitForEvent } from "./kit/scriptAgent.ts";

withInstalled(pinnedLineAgents);

const start = (args: string[], token?: string) =>
  spawnSync(process.execPath, ["--no-warnings", serverProgram, ...args], {
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      ...(token === undefined ? {} : { SWITCHYARD_RUNNER_TOKEN: token }),
    },
  });

describe("the command line", () => {
  const good = ["--role", "agents", "--port", "0", "--state", "/nowhere"];

  it.each<[string, string[], RegExp]>([
    ["no role", ["--port", "0", "--state", "/nowhere"], /--role must be/],
    ["another role", ["--role", "king", "--port", "0"], /--role must be/],
    ["no port", ["--role", "agents", "--state", "/nowhere"], /--port must be/],
    ["a port that is none", [...good, "--port", "99999"], /--port must be/],
    ["no state", ["--role", "agents", "--port", "0"], /--state must/],
    ["a user that is none", [...good, "--run-as", "0:0", "--work", "/w"], /--run-as must be/],
    ["a user without a place", [...good, "--run-as", "5:5"], /go together/],
    ["an unknown option", [...good, "--fast"], /--fast/],
  ])("with %s says what is wrong and ends with 2", (_, args, message) => {
    const { status, stderr, stdout } = start(args, testToken);

    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain("usage:");
  });

  it("without a token says so and ends with 2", () => {
    const { status, stderr } = start(good);

    expect(status).toBe(2);
    expect(stderr).toContain("SWITCHYARD_RUNNER_TOKEN");
  });

  it("with a --mask that holds no secrets by name says so, and nothing of what it holds", () => {
    const file = join(temporaryFolder("mask"), "mask.json");
    writeFileSync(file, "a-secret-in-the-wrong-place");

    const { status, stderr } = start([...good, "--mask", file], testToken);

    expect(status).toBe(2);
    expect(stderr).toContain(`--mask ${file}: must be`);
    expect(stderr).not.toContain("a-secret");
  });

  it("with a --repo that is not there says so and ends with 2", () => {
    const state = temporaryFolder("state");
    const args = ["--role", "agents", "--port", "0", "--state", state, "--repo", "/nowhere"];

    const { status, stderr } = start(args, testToken);

    expect(status).toBe(2);
    expect(stderr).toContain("/nowhere");
  });
});

describe("a runner", () => {
  it("keeps its state to itself", async () => {
    const state = join(temporaryFolder("state"), "new");

    await spawnRunner({ state });

    expect(statSync(state).mode & 0o777).toBe(0o700);
  });

  it("refuses a state directory that another one uses", async () => {
    const { state, process: first } = await spawnRunner();

    const { status, stderr } = start(
      ["--role", "agents", "--port", "0", "--state", state],
      testToken,
    );

    expect(status).toBe(2);
    expect(stderr).toContain(`process ${first.pid}`);
  });

  it("ends when its parent does, if it was told to", async () => {
    const { process: child } = await spawnRunner({ flags: ["--exit-with-parent"] });

    child.stdin?.end();
    const [code] = await once(child, "exit");

    expect(code).toBe(0);
  });

  it("goes on without its parent's input otherwise", async () => {
    const { process: child, client } = await spawnRunner();

    child.stdin?.end();
    const { status } = await client.answer("GET", "/health");

    expect(status).toBe(200);
  });
});

/** A real agent at work in a shell command that would take minutes. */
async function runnerAtWork(
  agent: (typeof pinnedLineAgents)[number] = "claude-code",
): Promise<RunnerProcess & { repository: string }> {
  const repository = repositoryOf(scriptedModel.makeRepo);
  const runner = await spawnRunner({ repositories: [repository] });
  const request = await realRequest(particulars[agent], repository, "slow-tool");
  await runner.client.put("/runs/exec_1", request);
  await waitForEvent(runner, "/runs/exec_1", (event) => event.type === "tool_use");
  await untilRunning(runner.state, "sleep 300");
  return { ...runner, repository };
}

describe("a runner that is asked to end", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "stops its agent, tells its readers, and exits: %s",
    async (signal) => {
      const runner = await runnerAtWork();
      const events: AgentEvent[] = [];
      const reading = (async () => {
        for await (const { event } of runner.client.events("/runs/exec_1", 0, 60_000))
          events.push(event);
      })();

      runner.process.kill(signal);
      const [code] = await once(runner.process, "exit");
      await reading;

      expect(code).toBe(0);
      expect(events.at(-1)).toEqual({ type: "interrupted", reason: "shutdown" });
      expect(processesOf(runner.state)).toEqual([]);
    },
  );

  it("reports the run as stopped by its end, to whoever asks after a new start", async () => {
    const { state, process: child } = await runnerAtWork();
    await endProcess(child, "SIGTERM");

    const { client } = await spawnRunner({ state });

    expect(await client.runResult("/runs/exec_1")).toMatchObject({
      state: "finished",
      report: { stoppedBy: "shutdown", fault: null, toolCalls: 1 },
    });
  });
});

describe("a runner that is killed", () => {
  it.each(pinnedLineAgents)("takes its agents with it: %s", async (agent) => {
    const { state, process: child } = await runnerAtWork(agent);

    await endProcess(child, "SIGKILL");

    await until(() => processesOf(state).length === 0);
  });

  it("is followed by one that tells what is known of the run, without a gap", async () => {
    const { state, process: child, client: before, repository } = await runnerAtWork();
    const seen: unknown[] = [];
    for await (const event of before.events("/runs/exec_1", 0, 0)) seen.push(event);
    await endProcess(child, "SIGKILL");
    const file = join(state, "runs/exec_1/events.ndjson");
    const whole = readFileSync(file, "utf8").trimEnd().split("\n").length;
    appendFileSync(file, '{"number":99,"at');

    const { client } = await spawnRunner({ state, repositories: [repository] });
    const events = await client.finished("/runs/exec_1");
    const again = await client.put(
      "/runs/exec_1",
      runRequest(repository, { agent: "claude-code" }),
    );

    expect(events.slice(0, seen.length)).toEqual(seen);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events).toHaveLength(whole + 1);
    expect(events.at(-1)?.event.type).toBe("interrupted");
    expect(again.state).toBe("finished");
    expect(await client.runResult("/runs/exec_1")).toMatchObject({
      report: {
        agent: "claude-code",
        agentVersion: agentPins["claude-code"],
        stoppedBy: "shutdown",
        fault: { code: "internal" },
        toolCalls: 1,
        patch: null,
      },
    });
    expect(existsSync(join(state, "runs/exec_1/workspace"))).toBe(false);
  });

  it("leaves nothing that its successor does not end, not even without a guard", async () => {
    const state = temporaryFolder("state");
    const first = await spawnRunner({ state });
    await endProcess(first.process, "SIGKILL");
    const runnerId = readFileSync(join(state, "runner-id"), "utf8");
    const stray = (id: string) =>
      spawn("sleep", ["300"], {
        env: { PATH: process.env.PATH, SWITCHYARD_RUNNER: id },
        stdio: "ignore",
      });
    const [ours, theirs] = [stray(runnerId), stray("another-runner")];
    onTestFinished(() => endProcess(theirs, "SIGKILL"));
    const gone = once(ours, "exit");

    await spawnRunner({ state });

    expect(await gone).toEqual([null, "SIGKILL"]);
    expect(theirs.exitCode).toBe(null);
    expect(theirs.signalCode).toBe(null);
  });
});

describe("the token of a runner", () => {
  it("is not in the environment of its agents", async () => {
    const { state } = await runnerAtWork();

    for (const { pid } of processesOf(state))
      expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain(testToken);
  });
});
