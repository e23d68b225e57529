import { expect } from "vitest";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { PatchFile, PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { PatchReport, PatchRunRequest } from "../../../shared/contracts/runner.ts";
import { git } from "./repositories.ts";
import type { TestRunner } from "./runners.ts";

/** A set against the head of a repository, of whole files. */
export const setOf = (
  repository: string,
  files: Record<string, PatchFile>,
  patches: PatchSet["patches"] = [],
): PatchSet => ({
  schema: "aipatch/1",
  id: "ps_1",
  task_id: "task_1",
  mode: "exact",
  coordinates: "snapshot",
  base: { commit: git(repository, "rev-parse", "HEAD") },
  files,
  patches,
});

export const newFile = (text: string, mode: PatchFile["mode"] = "100644"): PatchFile => ({
  op: "create",
  pre: "absent",
  mode,
  content: { text },
});

export const patchRequest = (
  repository: string,
  set: PatchSet,
  more: Partial<PatchRunRequest> = {},
): PatchRunRequest => ({
  protocol: "runner/1",
  fence: 1,
  taskId: "task_1",
  set,
  source: { kind: "local", path: repository },
  validation: { commands: [] },
  expectedTreeId: null,
  ...more,
});

export async function finishPatch(
  { client }: TestRunner,
  request: PatchRunRequest,
  id = "ps_1",
): Promise<{ report: PatchReport; events: AgentEvent[] }> {
  await client.put(`/patches/${id}`, request);
  const events = await client.finished(`/patches/${id}`);
  const { report } = await client.patchResult(`/patches/${id}`);
  if (report === null) return expect.fail("a finished run has no report");
  return { report, events: events.map(({ event }) => event) };
}
