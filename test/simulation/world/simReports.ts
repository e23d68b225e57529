import { createHash } from "node:crypto";
import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { RunReport } from "../../../shared/contracts/runner.ts";
import { shaOf } from "./shaOf.ts";
import type { SimRun } from "./simAgents.ts";
import type { SimForge } from "./simForge.ts";
import { changeBy, type Tree } from "./treeChanges.ts";

const usage = {
  inputTokens: 1_000,
  cachedInputTokens: 200,
  cacheWriteTokens: 0,
  outputTokens: 50,
  reasoningTokens: 10,
  costMicroUsd: 1_234,
};

/** What a run reports that went well. */
export function goodReport(run: SimRun, forge: SimForge): RunReport {
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
    patch: patchOf(run, base, forge.treeOf(base)),
  };
}

function patchOf(run: SimRun, base: string, tree: Tree): PatchSet {
  const change = changeBy(run.executionId);
  const sha256 = createHash("sha256")
    .update(tree.get(change.path) ?? "")
    .digest("hex");
  return {
    schema: "aipatch/1",
    id: `ps_${run.executionId}`,
    task_id: run.taskId,
    execution_id: run.executionId,
    mode: "exact",
    coordinates: "snapshot",
    base: { commit: base },
    files: {
      [change.path]:
        "create" in change
          ? { op: "create", pre: "absent", content: { text: change.create } }
          : { op: "edit", pre: { sha256 } },
    },
    patches:
      "create" in change
        ? []
        : [
            {
              task_id: run.taskId,
              file: change.path,
              operation: "replace-block",
              start: change.line,
              end: change.line,
              block: change.block,
              metadata: { provider: "gemini" },
            },
          ],
  };
}
