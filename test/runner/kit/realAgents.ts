import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { PinnedLineAgent } from "../../../apps/agent-runner/agents/registry.ts";
import type { RunRequest } from "../../../shared/contracts/runner.ts";
import { playScenario, scriptedModel } from "./modelServer.ts";
import { commitAll, git, temporaryFolder } from "./repositories.ts";
import { openRunner, type TestRunner } from "./runners.ts";
import { finishRun, runRequest } from "./scriptAgent.ts";

export const modelKey = "sk-test-SECRET/of+the=model0001";

/** What is particular to one agent where the same is asked of all. */
type Particulars = {
  key: string;
  model: string;
  /** What its endpoint has after the address of the service. */
  endpointPath: string;
  /** Found in the command line of its process, and of no other. */
  program: string;
  /** Allows it to change anything. */
  permission: readonly string[];
  deniedWithout: number;
  /** Whether its own tools see the key: then only the runner keeps it back. */
  showsKeyToTools: boolean;
  /** Input tokens of `edit` and of `fix`, each of whose requests counts 1000. */
  inputTokens: { edit: number; fix: number };
  costOfFix: number | null;
  /** What an exhausted allowance and too many requests look like to it. */
  quotaStatus: number | null;
  rateLimitStatus: number | null;
};

export const particulars: Readonly<Record<PinnedLineAgent, Particulars>> = {
  "claude-code": {
    key: "ANTHROPIC_API_KEY",
    model: "claude-sonnet-4-5",
    endpointPath: "",
    program: "/claude",
    permission: ["--dangerously-skip-permissions"],
    deniedWithout: 3,
    showsKeyToTools: true,
    inputTokens: { edit: 6000, fix: 6000 },
    costOfFix: 19_050,
    quotaStatus: 429,
    rateLimitStatus: 429,
  },
  codex: {
    key: "CODEX_API_KEY",
    model: "gpt-5.5",
    endpointPath: "/v1",
    program: "/bin/codex",
    permission: ["--dangerously-bypass-approvals-and-sandbox"],
    deniedWithout: 1,
    showsKeyToTools: false,
    inputTokens: { edit: 4000, fix: 5000 },
    costOfFix: null,
    quotaStatus: null,
    rateLimitStatus: 429,
  },
  gemini: {
    key: "GEMINI_API_KEY",
    model: "gemini-2.5-pro",
    endpointPath: "",
    program: "gemini.js",
    permission: ["--approval-mode", "yolo"],
    deniedWithout: 3,
    showsKeyToTools: true,
    inputTokens: { edit: 5000, fix: 5000 },
    costOfFix: null,
    quotaStatus: null,
    rateLimitStatus: null,
  },
  copilot: {
    key: "COPILOT_PROVIDER_API_KEY",
    model: "gpt-5.4",
    endpointPath: "/v1",
    program: "/copilot",
    permission: ["--allow-all-tools"],
    deniedWithout: 2,
    showsKeyToTools: false,
    inputTokens: { edit: 4000, fix: 5000 },
    costOfFix: null,
    quotaStatus: 429,
    rateLimitStatus: 429,
  },
};

export function repositoryOf(make: (folder: string) => void): string {
  const folder = join(temporaryFolder("source"), "repo");
  make(folder);
  git(folder, "init", "--quiet");
  commitAll(folder, "first");
  return folder;
}

export const realRequest = async (
  agent: PinnedLineAgent,
  repository: string,
  scenario: string,
  more: Partial<RunRequest> = {},
): Promise<RunRequest> =>
  runRequest(repository, {
    agent,
    prompt: "Do what the scenario says.",
    model: particulars[agent].model,
    endpoint: `${await playScenario(scenario)}${particulars[agent].endpointPath}`,
    secrets: { [particulars[agent].key]: modelKey },
    ...more,
  });

/** Runs an agent through a scenario, to its end. */
export async function play(
  agent: PinnedLineAgent,
  scenario: string,
  make = scriptedModel.makeRepo,
) {
  const repository = repositoryOf(make);
  const opened = await openRunner({ repositories: [repository] });
  return finishRun(opened, "exec_1", await realRequest(agent, repository, scenario));
}

/** Starts a run and leaves it at work. */
export async function begin(agent: PinnedLineAgent, scenario: string): Promise<TestRunner> {
  const repository = repositoryOf(scriptedModel.makeRepo);
  const opened = await openRunner({ repositories: [repository] });
  await opened.client.put("/runs/exec_1", await realRequest(agent, repository, scenario));
  return opened;
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
