import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import { cliAgentService } from "../../orchestrator/worker/services/ai-providers/cli/cliAgentService.ts";
import { registry } from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { httpRunner } from "../../orchestrator/worker/services/runners/http/httpRunner.ts";
import { runnerForge } from "../../orchestrator/worker/services/runners/http/runnerForge.ts";
import { codeAgentSuite } from "../contracts/codeAgentSuite.ts";
import { filesOfBase, printed, type RunnerWorld, runnerSuite } from "../contracts/runnerSuite.ts";
import { FakeRunner } from "../fakes/fakeRunner.ts";
import { fakeBase } from "../fakes/fakeRuns.ts";
import { serveRunner } from "../fakes/serveRunner.ts";
import { newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { git, makeRepository } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { runRequest, scriptRegistry, scriptRun } from "./kit/scriptAgent.ts";

const printing = [
  { name: "long", argv: ["cat", "long.txt"], timeoutMs: 20_000 },
  { name: "short", argv: ["echo", "short"], timeoutMs: 20_000 },
];

const addressOf = (url: string) => ({ url, token: new Secret(testToken) });

async function openReal(): Promise<RunnerWorld> {
  const repository = makeRepository(filesOfBase);
  const agents = await openRunner({ repositories: [repository], registry: scriptRegistry });
  const patches = await openRunner({ role: "patches", repositories: [repository] });
  return {
    agents: httpRunner(addressOf(agents.runner.url)),
    patches: httpRunner(addressOf(patches.runner.url)),
    forge: runnerForge(addressOf(patches.runner.url)),
    staying: scriptRun(repository, 'say("at work"); await forever();'),
    ending: scriptRun(repository, 'say("done"); succeed();'),
    patch: patchRequest(repository, setOf(repository, { "b.txt": newFile("two\n") })),
    printing: patchRequest(repository, setOf(repository, { "long.txt": newFile(printed) }), {
      validation: { commands: printing },
    }),
    baseCommit: git(repository, "rev-parse", "HEAD"),
  };
}

async function openFake(): Promise<RunnerWorld> {
  const { runner, close } = await serveRunner((url) => new FakeRunner(url, testToken));
  onTestFinished(close);
  runner.trees.set(fakeBase, filesOfBase);
  runner.agents = { script: { version: "1.0.0" } };
  runner.onRun = (run) => {
    if (run.request.prompt === "stay")
      run.emit({ type: "message", role: "assistant", text: "at work" });
    else run.finish({ patch: null });
  };
  runner.onPatch = (run) => {
    if (run.request.validation.commands.length > 0) run.print(0, printed);
    run.finish();
  };
  const set = setOf(makeRepository({ "a.txt": "one\n" }), { "b.txt": newFile("two\n") });
  return {
    agents: httpRunner(addressOf(runner.url)),
    patches: httpRunner(addressOf(runner.url)),
    forge: runnerForge(addressOf(runner.url)),
    staying: runRequest("/repos/sample", { prompt: "stay" }),
    ending: runRequest("/repos/sample", { prompt: "end" }),
    patch: patchRequest("/repos/sample", set, {}),
    printing: patchRequest("/repos/sample", set, { validation: { commands: printing } }),
    baseCommit: fakeBase,
  };
}

describe("the runner", () => {
  runnerSuite(openReal);
  codeAgentSuite(openReal);
});

describe("the fake runner", () => {
  runnerSuite(openFake);
  codeAgentSuite(openFake);
});

describe("a runner that takes a request and never answers", () => {
  it("makes its agents unavailable after the time that the probe is given", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const runner = httpRunner(addressOf(`http://127.0.0.1:${port}`));
    const agent = cliAgentService({ name: "gemini", ...registry.gemini }, () => runner);
    const startedAt = performance.now();

    const answer = await agent.availability(300);

    expect(answer).toMatchObject({ kind: "unavailable", code: "runner_unreachable" });
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});
