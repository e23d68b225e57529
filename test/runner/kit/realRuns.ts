import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { RunRequest } from "../../../shared/contracts/runner.ts";
import { playScenario, scriptedModel } from "./modelServer.ts";
import { processesOf } from "./processes.ts";
import { commitAll, git, temporaryFolder } from "./repositories.ts";
import { openRunner, type RunnerChoice, type TestRunner } from "./runners.ts";
import { type FinishedRun, finishRun, runRequest } from "./scriptAgent.ts";

export const modelKey = "sk-test-SECRET/of+the=model0001";

/** An agent that is run for real, as requests name it. */
export type RealAgent = {
  agent: string;
  credentialVariable: string;
  model: string;
  choice?: Partial<RunnerChoice>;
};

export function repositoryOf(make = scriptedModel.makeRepo): string {
  const folder = join(temporaryFolder("source"), "repo");
  make(folder);
  git(folder, "init", "--quiet");
  commitAll(folder, "first");
  return folder;
}

export const realRequest = async (
  { agent, credentialVariable, model }: RealAgent,
  repository: string,
  scenario: string,
  more: Partial<RunRequest> = {},
): Promise<RunRequest> =>
  runRequest(repository, {
    agent,
    prompt: "Do what the scenario says.",
    model,
    endpoint: await playScenario(scenario),
    secrets: { [credentialVariable]: modelKey },
    ...more,
  });

/** Runs a scenario to its end, and looks that nothing of it is left and no secret got out. */
export async function playReal(
  real: RealAgent,
  scenario: string,
  more: Partial<RunRequest> = {},
  make = scriptedModel.makeRepo,
): Promise<FinishedRun> {
  const repository = repositoryOf(make);
  const opened = await openRunner({ repositories: [repository], ...real.choice });
  const run = await finishRun(
    opened,
    "exec_1",
    await realRequest(real, repository, scenario, more),
  );
  expectNothingLeft(run);
  return run;
}

/** Starts a scenario and leaves it at work. */
export async function beginReal(real: RealAgent, scenario: string): Promise<TestRunner> {
  const repository = repositoryOf();
  const opened = await openRunner({ repositories: [repository], ...real.choice });
  await opened.client.put("/runs/exec_1", await realRequest(real, repository, scenario));
  return opened;
}

export async function expectCancelled({ client, state }: TestRunner): Promise<void> {
  await client.cancel("/runs/exec_1");
  const numbered = await client.finished("/runs/exec_1");
  const { report } = await client.runResult("/runs/exec_1");
  const events = numbered.map(({ event }) => event);

  expect(report).toMatchObject({ stoppedBy: "cancel", fault: null, patch: null });
  expect(events.at(-1)).toEqual({ type: "interrupted", reason: "cancel" });
  expectNothingLeft({ state, events, report });
}

export function expectNothingLeft({
  state,
  ...told
}: Pick<FinishedRun, "state"> & { events: unknown; report: unknown }): void {
  expect(processesOf(state)).toEqual([]);
  const { events, report } = told;
  const text = JSON.stringify({ events, report });
  expect(text).not.toContain(modelKey);
  expect(text).not.toContain(JSON.stringify(modelKey).slice(1, -1));
  for (const path of filesBelow(state)) {
    const bytes = readFileSync(path);
    expect(bytes.includes(modelKey), path).toBe(false);
    expect(bytes.includes(Buffer.from(modelKey).toString("base64")), path).toBe(false);
  }
}

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
