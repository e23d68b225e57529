import { agentPins } from "../../shared/agentPins.ts";
import type { AgentEvent, NumberedEvent } from "../../shared/contracts/agentEvent.ts";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import {
  type PatchReport,
  patchRunRequestSchema,
  type RunReport,
  runRequestSchema,
  type StopReason,
} from "../../shared/contracts/runner.ts";
import { encodeText } from "../../shared/patch/bytes.ts";

/** One run of the fake runner, of an agent or of a patch set. */
export type Run = {
  id: string;
  fence: number;
  request: unknown;
  events: NumberedEvent[];
  report: unknown;
  cancelled: StopReason | null;
  /** Of a patch set: what its commands printed beyond their tails, by their places. */
  outputs: Map<number, string>;
};

class Control<R> {
  protected readonly run: Run;
  readonly #nowMs: () => number;

  constructor(run: Run, nowMs: () => number) {
    this.run = run;
    this.#nowMs = nowMs;
  }

  emit(...events: AgentEvent[]): void {
    for (const event of events)
      this.run.events.push({ number: this.run.events.length + 1, atMs: this.#nowMs(), event });
  }

  protected end(report: R): void {
    if (this.run.report !== null) return;
    this.run.report = report;
  }
}

/** Tells the fake what an agent does. */
export class RunControl extends Control<RunReport> {
  get request() {
    return runRequestSchema.parse(this.run.request);
  }

  get id(): string {
    return this.run.id;
  }

  /** The patch set of a good run. */
  patchSet(): PatchSet {
    return goodPatch(this.run.id, this.request);
  }

  /** Ends the run as an agent that did its work, or as `facts` say. */
  finish(facts: Partial<RunReport> = {}): void {
    if (this.run.report !== null) return;
    this.emit(
      { type: "agent_started", agent: this.request.agent, version: agentPins.gemini },
      { type: "message", role: "assistant", text: "Done." },
      { type: "agent_exited", exitCode: 0, signal: null },
    );
    this.end({ ...goodReport(this.run.id, this.request), ...facts });
  }

  stop(reason: StopReason): void {
    this.emit({ type: "agent_exited", exitCode: null, signal: "SIGTERM" });
    this.end({
      ...goodReport(this.run.id, this.request),
      stoppedBy: reason,
      terminal: null,
      exit: { exitCode: null, signal: "SIGTERM" },
      patch: null,
      treeId: null,
    });
  }
}

/** Tells the fake what becomes of a patch set. */
export class PatchControl extends Control<PatchReport> {
  get request() {
    return patchRunRequestSchema.parse(this.run.request);
  }

  applied(): void {
    this.emit({ type: "patch_applied", treeId: fakeTree, files: 1 });
  }

  /** A command prints more than its tail holds. */
  print(command: number, text: string): void {
    this.run.outputs.set(command, text);
  }

  finish(report?: PatchReport): void {
    if (report === undefined) this.applied();
    this.end(
      report ?? {
        kind: "applied",
        treeId: fakeTree,
        baseCommit: fakeBase,
        validation: {
          status: this.request.validation.commands.length > 0 ? "passed" : "none",
          commands: this.request.validation.commands.map(({ name, argv }, command) => ({
            name,
            argv,
            status: "passed",
            exitCode: 0,
            durationMs: 5,
            ...printed(this.run.outputs.get(command)),
          })),
        },
      },
    );
  }

  stop(by: StopReason): void {
    this.end({ kind: "stopped", by });
  }
}

const printed = (text: string | undefined) =>
  text === undefined
    ? { tail: "" }
    : { tail: text.slice(-10), output: { bytes: encodeText(text).length, cut: false } };

export const fakeBase = "b".repeat(40);
export const fakeTree = "7".repeat(40);

type Started = { agent: string; taskId: string; source: { commit?: string | undefined } };

function goodReport(executionId: string, request: Started): RunReport {
  return {
    agent: request.agent,
    agentVersion: agentPins.gemini,
    stoppedBy: null,
    terminal: { ok: true, reason: "success", text: "Renamed it." },
    exit: { exitCode: 0, signal: null },
    toolCalls: 2,
    deniedToolCalls: 0,
    error: null,
    fault: null,
    sessionId: "session-1",
    usage: {
      inputTokens: 1000,
      cachedInputTokens: 200,
      cacheWriteTokens: 0,
      outputTokens: 50,
      reasoningTokens: 10,
      costMicroUsd: null,
    },
    baseCommit: request.source.commit ?? fakeBase,
    treeId: fakeTree,
    durationMs: 1234,
    patch: goodPatch(executionId, request),
  };
}

const goodPatch = (executionId: string, request: Started): PatchSet => ({
  schema: "aipatch/1",
  id: `ps_${executionId}`,
  task_id: request.taskId,
  execution_id: executionId,
  mode: "exact",
  coordinates: "snapshot",
  base: { commit: request.source.commit ?? fakeBase },
  files: { "src/math.js": { op: "edit", pre: { sha256: "0".repeat(64) } } },
  patches: [
    {
      task_id: request.taskId,
      file: "src/math.js",
      operation: "replace-block",
      start: 1,
      end: 1,
      block: "export const sum = 1;\n",
      metadata: { provider: request.agent },
    },
  ],
});
