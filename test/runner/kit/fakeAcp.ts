import { join } from "node:path";
import type { z } from "zod";
import { acpAdapter } from "../../../apps/agent-runner/agents/acp/acpAdapter.ts";
import { acpAgentSchema } from "../../../apps/agent-runner/agents/acp/acpConfig.ts";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { RunRequest } from "../../../shared/contracts/runner.ts";
import { openRunner, projectFolder, type TestRunner } from "./runners.ts";
import { type FinishedRun, finishRun, runRequest } from "./scriptAgent.ts";

const program = join(projectFolder, "test/runner/kit/fakeAcpAgent.mjs");

export type AcpChoice = Partial<z.input<typeof acpAgentSchema>>;

/** The configuration of an agent that does what this program says. */
export const fakeAcpConfig = (script: string, more: AcpChoice = {}) =>
  acpAgentSchema.parse({
    id: "fake",
    title: "Fake",
    version: "1.2.3",
    argv: [process.execPath, program, script],
    secretNames: ["FAKE_KEY"],
    credentialVariable: "FAKE_KEY",
    ...more,
  });

/** A runner whose one agent does what this program says. */
export const openFake = (
  repository: string,
  script: string,
  more: AcpChoice = {},
): Promise<TestRunner> => {
  const fake = acpAdapter(fakeAcpConfig(script, more));
  return openRunner({ repositories: [repository], registry: { fake } });
};

export const fakeRequest = (repository: string, more: Partial<RunRequest> = {}): RunRequest =>
  runRequest(repository, { agent: "fake", prompt: "Do it.", ...more });

export async function runFake(
  repository: string,
  script: string,
  more: AcpChoice = {},
  asked: Partial<RunRequest> = {},
): Promise<FinishedRun> {
  const opened = await openFake(repository, script, more);
  return finishRun(opened, "exec_1", fakeRequest(repository, asked));
}

export const ofType = <Type extends AgentEvent["type"]>(events: AgentEvent[], type: Type) =>
  events.filter((event): event is Extract<AgentEvent, { type: Type }> => event.type === type);
