import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startModelServer } from "../../apps/scripted-model/model-server.mjs";
import type { RunRequest } from "../../shared/contracts/runner.ts";
import { makeRepository, temporaryFolder } from "../runner/kit/repositories.ts";
import { putSession, takeSession } from "../runner/kit/sessions.ts";
import { agentCalls } from "./kit/agentCalls.ts";
import { docker } from "./kit/docker.ts";
import {
  containerRun,
  finishInContainer,
  type RunnerContainer,
  reachableFromContainers,
  startContainer,
  uploadBundle,
} from "./kit/runnerContainer.ts";

const agents = [
  { agent: "claude-code", ...agentCalls["claude-code"] },
  { agent: "gemini", ...agentCalls.gemini },
] as const;

/** A model that keeps what it is asked, and a project to work on. */
async function openWorld({ agent, key, model }: (typeof agents)[number]) {
  const bodies = temporaryFolder("bodies");
  const server = await startModelServer({ bodies });
  onTestFinished(() => server.close());
  const endpoint = await reachableFromContainers(`${server.url}/s/plain`);
  const repository = makeRepository({ "a.txt": "one\n" });
  const run = async (container: RunnerContainer, id: string, more: Partial<RunRequest>) => {
    const source = await uploadBundle(container, repository, id);
    const asked = { agent, model, endpoint, secrets: { [key]: "token-of-this-run" }, ...more };
    return finishInContainer(container, containerRun(source, asked), id);
  };
  const requests = () =>
    readdirSync(bodies).map((name) => readFileSync(path.join(bodies, name), "utf8"));
  return { run, requests };
}

describe.each(agents)("$agent whose container is gone", (agent) => {
  it("goes on with its conversation in another one, at the same paths", async () => {
    const { run, requests } = await openWorld(agent);
    const first = await startContainer();
    const began = await run(first, "exec_1", { prompt: "Remember the word marigold." });
    const archive = await takeSession(first.client, "exec_1");
    await docker("rm", "--force", "--volumes", first.id);
    const before = requests().length;

    const second = await startContainer();
    await putSession(second.client, "exec_2", archive, second.token);
    const session = { id: began.report.sessionId ?? "" };
    const resumed = await run(second, "exec_2", {
      session,
      fence: 2,
      prompt: "Which word was it?",
    });

    expect(began.report).toMatchObject({ terminal: { ok: true }, fault: null });
    expect(archive).not.toContain("token-of-this-run");
    expect(resumed.report).toMatchObject({
      sessionId: session.id,
      terminal: { ok: true },
      error: null,
      fault: null,
    });
    const conversation = requests()
      .slice(before)
      .find((body) => body.includes("Which word was it?"));
    expect(conversation).toContain("Remember the word marigold.");
    expect(conversation).toContain("/work/exec_1/workspace");
    expect(conversation).not.toContain("/work/exec_2/");
  });
});
