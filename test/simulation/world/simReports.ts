import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { RunReport } from "../../../shared/contracts/runner.ts";
import { shaOf } from "./shaOf.ts";
import type { SimRun } from "./simAgents.ts";

const usage = {
  inputTokens: 1_000,
  cachedInputTokens: 200,
  cacheWriteTokens: 0,
  outputTokens: 50,
  reasoningTokens: 10,
  costMicroUsd: 1_234,
};

/** What a run reports that went well. */
export function goodReport(run: SimRun): RunReport {
  const base = run.request.source.commit ?? shaOf("the first commit");
  return {
    agent: "gemini",
    agentVersion: "1.0.0",
    stoppedBy: null,
    terminal: { ok: true, reason: "success", text: "Done." },
    exit: { exitCode: 0, signal: null },
    toolCalls: 1,
    deniedToolCalls: 0,
    error: null,
    fault: null,
    sessionId: `session of ${run.executionId}`,
    usage,
    baseCommit: base,
    treeId: shaOf(`tree of ${run.executionId}`),
    durationMs: 0,
    patch: patchOf(run, base),
  };
}

const patchOf = (run: SimRun, base: string): PatchSet => ({
  schema: "aipatch/1",
  id: `ps_${run.executionId}`,
  task_id: run.taskId,
  execution_id: run.executionId,
  mode: "exact",
  coordinates: "snapshot",
  base: { commit: base },
  files: { "src/a.js": { op: "edit", pre: { sha256: "0".repeat(64) } } },
  patches: [
    {
      task_id: run.taskId,
      file: "src/a.js",
      operation: "replace-block",
      start: 1,
      end: 1,
      block: `export const by = "${run.executionId}";\n`,
      metadata: { provider: "gemini" },
    },
  ],
});
