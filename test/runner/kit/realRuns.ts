import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { RunRequest } from "../../../shared/contracts/runner.ts";
import { playScenario, scriptedModel } from "./modelServer.ts";
import { processesBelow, processesOf } from "./processes.ts";
import { commitAll, git, temporaryFolder } from "./repositories.ts";
import { openRunner, type RunnerChoice, type TestRunner } from "./runners.ts";
import { type FinishedRun, finishRun, runRequest } from "./scriptAgent.ts";

const modelKey = "sk-test-SECRET/of+the=model0001";

/** The key as it stands, and as whoever packs it would write it. */
const formsOfKey = [
  modelKey,
  JSON.stringify(modelKey).slice(1, -1),
  encodeURIComponent(modelKey),
  ...(["base64", "base64url", "hex"] as const).map((form) => Buffer.from(modelKey).toString(form)),
];

/** An agent that is run for real, as requests name it. */
export type RealAgent = {
  agent: string;
  credentialVariable: string;
  model: string;
  /** What its endpoint has after the address of the service. */
  endpointPath?: string;
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
  { agent, credentialVariable, model, endpointPath = "" }: RealAgent,
  repository: string,
  scenario: string,
  more: Partial<RunRequest> = {},
): Promise<RunRequest> =>
  runRequest(repository, {
    agent,
    prompt: "Do what the scenario says.",
    model,
    endpoint: `${await playScenario(scenario)}${endpointPath}`,
    secrets: { [credentialVariable]: modelKey },
    ...more,
  });

export type RealRun = {
  choice?: Partial<RunnerChoice>;
  more?: Partial<RunRequest>;
  make?: (folder: string) => void;
};

async function openReal(real: RealAgent, { choice, make }: RealRun) {
  const repository = repositoryOf(make);
  const opened = await openRunner({ repositories: [repository], ...real.choice, ...choice });
  return { opened, repository };
}

/** Runs a scenario to its end, and looks that nothing of it is left and no secret got out. */
export async function playReal(
  real: RealAgent,
  scenario: string,
  run: RealRun = {},
): Promise<FinishedRun> {
  const { opened, repository } = await openReal(real, run);
  return playAgain(opened, real, { id: "exec_1", repository, scenario, ...run });
}

/** The same on a runner that is open already. */
export async function playAgain(
  opened: TestRunner,
  real: RealAgent,
  run: { id: string; repository: string; scenario: string; more?: Partial<RunRequest> },
): Promise<FinishedRun> {
  const request = await realRequest(real, run.repository, run.scenario, run.more);
  const finished = await finishRun(opened, run.id, request);
  expectNothingLeft(finished);
  return finished;
}

/** Starts a scenario and leaves it at work. */
export async function beginReal(real: RealAgent, scenario: string): Promise<TestRunner> {
  const { opened, repository } = await openReal(real, {});
  await opened.client.put("/runs/exec_1", await realRequest(real, repository, scenario));
  return opened;
}

/** Two runs on one runner, of which the second goes on with the session of the first. */
export async function playInTurn(
  real: RealAgent,
  [former, latter]: readonly [string, string],
): Promise<{ first: FinishedRun; second: FinishedRun; session: string }> {
  const { opened, repository } = await openReal(real, {});
  const first = await playAgain(opened, real, { id: "exec_1", repository, scenario: former });
  const session = first.report.sessionId ?? expect.fail("the first run has no session");
  const more = { session: { id: session } };
  const asked = { id: "exec_2", repository, scenario: latter, more };
  return { first, second: await playAgain(opened, real, asked), session };
}

export async function expectCancelled(opened: TestRunner): Promise<void> {
  const { client } = opened;
  await client.cancel("/runs/exec_1");
  const numbered = await client.finished("/runs/exec_1");
  const { report } = await client.runResult("/runs/exec_1");
  const events = numbered.map(({ event }) => event);

  expect(report).toMatchObject({ stoppedBy: "cancel", fault: null, patch: null });
  expect(events.at(-1)).toEqual({ type: "interrupted", reason: "cancel" });
  expectNothingLeft({ ...opened, events, report });
}

/** No process of it runs, and its key stands nowhere in what left the runner, in its log, or on its disk. */
export function expectNothingLeft({
  state,
  logged,
  events,
  report,
}: Pick<TestRunner, "state" | "logged"> & { events: unknown; report: unknown }): void {
  expect(processesOf(state)).toEqual([]);
  expect(processesBelow(state)).toEqual([]);
  expect(logged).not.toEqual([]);
  const told = JSON.stringify({ events, report, logged });
  for (const form of formsOfKey) expect(told).not.toContain(form);
  for (const path of filesBelow(state)) {
    const bytes = readFileSync(path);
    for (const form of formsOfKey) expect(bytes.includes(form), path).toBe(false);
  }
}

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
