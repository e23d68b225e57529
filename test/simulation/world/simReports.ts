import { createHash } from "node:crypto";
import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { RunReport } from "../../../shared/contracts/runner.ts";
import type { Chance } from "./chance.ts";
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

/** How an agent ends; one that hangs or falls silent does not. */
export type Ending =
  | "patch"
  | "no_changes"
  | "refused"
  | "unpatchable"
  | "limited"
  | "timed_out"
  | "asks"
  | "hangs"
  | "silent";

/** What a run reports otherwise than one that went well; null when it reports nothing. */
export function factsOf(ending: Ending, nowMs: number, chance: Chance): Partial<RunReport> | null {
  const error = (kind: "rate_limit" | "auth" | "timeout", resetAtMs: number | null) => ({
    error: { kind, status: null, message: `The provider says ${kind}.`, resetAtMs },
    terminal: null,
    patch: null,
  });
  const resetAtMs = chance.happens(0.6) ? nowMs + chance.between(1_000, 1_800_000) : null;
  const facts: Record<Ending, Partial<RunReport> | null> = {
    patch: {},
    no_changes: { patch: null },
    refused: error("auth", null),
    unpatchable: { patch: null, fault: { code: "unpatchable", message: "It holds a link." } },
    limited: error("rate_limit", resetAtMs),
    timed_out: error("timeout", null),
    asks: { patch: null, question: { kind: "question", text: "Which of the two?" } },
    hangs: null,
    silent: null,
  };
  return facts[ending];
}

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
