import type { AgentEvent, TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import type { AgentParser, AgentRequest } from "./agentAdapter.ts";
import { copilotError, copilotFailure, copilotLastWords, copilotRetry } from "./copilotErrors.ts";
import { clearCopilotUsage, readCopilotUsage } from "./copilotUsage.ts";
import {
  type CopilotFailure,
  type CopilotLine,
  type CopilotResult,
  type CopilotToolEnd,
  copilotLineSchema,
  copilotNoise,
} from "./copilotWire.ts";
import { parseJsonLine, type SplitLine } from "./jsonLines.ts";
import { noUsage, usageSince } from "./tokenUsage.ts";

/** What has been seen so far and is needed for later events. */
type Progress = {
  request: AgentRequest;
  /** Tokens of the session before this run, null when they are not known. */
  earlier: TokenUsage | null;
  sessionId: string | null;
  model: string | null;
  answer: string;
  /** The last call of the model that failed, if nothing has come after it. */
  failure: CopilotFailure | null;
  error: string | null;
  isAborted: boolean;
  hasResult: boolean;
};

/** Tokens stand in a file, and are of the whole session. */
export async function createCopilotParser(request: AgentRequest): Promise<AgentParser> {
  const { home, session } = request;
  const earlier = session.kind === "new" ? noUsage : await readCopilotUsage(home);
  if (session.kind === "resume") await clearCopilotUsage(home);
  const progress: Progress = {
    request,
    earlier,
    sessionId: null,
    model: null,
    answer: "",
    failure: null,
    error: null,
    isAborted: false,
    hasResult: false,
  };
  return {
    line: (line) => lineEvents(line, progress),
    errorLine: () => [],
    end: async ({ exit, errorOutput }) => [
      ...endEvents(exit, errorOutput, progress),
      ...usageEvents(await readCopilotUsage(home), progress),
    ],
  };
}

/** Its model is told early, but its session only with its last word; that one was chosen by the runner. */
function lineEvents(line: SplitLine, progress: Progress): AgentEvent[] {
  return parseJsonLine(line, (value, text) => {
    if (progress.hasResult || copilotNoise.has(String(value.type))) return [];
    const known = copilotLineSchema.safeParse(value);
    return known.success
      ? eventsOf(known.data, progress)
      : [{ type: "raw", sourceType: String(value.type), text }];
  });
}

function eventsOf(line: CopilotLine, progress: Progress): AgentEvent[] {
  switch (line.type) {
    case "session.tools_updated":
      return initEvents(progress.request.session.id, line.data.model ?? null, progress);
    case "user.message":
      return [{ type: "message", role: "user", text: line.data.content }];
    case "assistant.message":
      return messageEvents(line.data.content, progress);
    case "assistant.reasoning":
      return [{ type: "thinking", text: line.data.content }];
    case "tool.execution_start": {
      const { toolCallId: id, toolName: name, arguments: input } = line.data;
      return [{ type: "tool_use", id, name, input }];
    }
    case "tool.execution_complete":
      return [toolResult(line.data)];
    case "model.call_failure":
      progress.failure = line.data;
      return quotaEvents(line.data, progress);
    case "assistant.turn_retry":
      return [copilotRetry(progress.failure)];
    case "session.error":
      progress.error = line.data.message;
      return [copilotError(line.data)];
    case "abort":
      progress.isAborted = true;
      return [];
    case "result":
      return resultEvents(line, progress);
  }
}

/** It would try again for a minute, which helps nobody whose allowance is spent: this is its last word. */
function quotaEvents(failure: CopilotFailure, progress: Progress): AgentEvent[] {
  const error = copilotFailure(failure);
  if (error.kind !== "quota") return [];
  progress.hasResult = true;
  return [error, lastWord({ ok: false, reason: "quota", text: error.message })];
}

function initEvents(sessionId: string, model: string | null, progress: Progress): AgentEvent[] {
  if (progress.sessionId === sessionId && progress.model === model) return [];
  progress.sessionId = sessionId;
  progress.model = model;
  return [{ type: "init", sessionId, model, cwd: null }];
}

function messageEvents(text: string, progress: Progress): AgentEvent[] {
  progress.failure = null;
  if (text === "") return [];
  progress.answer = text;
  return [{ type: "message", role: "assistant", text }];
}

const toolResult = ({ toolCallId, success, result, error }: CopilotToolEnd): AgentEvent => ({
  type: "tool_result",
  id: toolCallId,
  ok: success,
  ...(error?.code === "denied" ? { denied: true } : {}),
  output: result?.content ?? error?.message ?? "",
});

/** A run that was ended by a signal reports success; it is none. */
function resultEvents(line: CopilotResult, progress: Progress): AgentEvent[] {
  progress.hasResult = true;
  const { answer, error, isAborted, model, request } = progress;
  const isOk = line.exitCode === 0 && error === null && !isAborted;
  const cancelled: AgentEvent = {
    type: "error",
    kind: "cancelled",
    status: null,
    message: "The run was aborted.",
    fatal: true,
  };
  return [
    ...initEvents(line.sessionId ?? request.session.id, model, progress),
    ...(isAborted ? [cancelled] : []),
    lastWord({
      ok: isOk,
      reason: isAborted ? "aborted" : isOk ? "completed" : "error",
      text: isOk ? answer : (error ?? ""),
      durationMs: roundedMs(line.usage?.sessionDurationMs),
    }),
  ];
}

const lastWord = (word: {
  ok: boolean;
  reason: string;
  text: string;
  durationMs?: number | null;
}): AgentEvent => ({ type: "result", turns: null, durationMs: null, ...word });

const roundedMs = (ms: number | null | undefined): number | null =>
  ms == null ? null : Math.max(0, Math.round(ms));

function endEvents(
  exit: CommandExit | null,
  errorOutput: string,
  { hasResult, failure, isAborted }: Progress,
): AgentEvent[] {
  if (hasResult || isAborted) return [];
  if (failure !== null) return [copilotFailure(failure)];
  return exit?.exitCode === 0 || errorOutput.trim() === "" ? [] : [copilotLastWords(errorOutput)];
}

function usageEvents(total: TokenUsage | null, { earlier, request }: Progress): AgentEvent[] {
  if (total === null) return [];
  const session: AgentEvent = { type: "usage", scope: "session", usage: total };
  if (earlier === null) return [session];
  const run: AgentEvent = { type: "usage", scope: "run", usage: usageSince(earlier, total) };
  return request.session.kind === "new" ? [run] : [session, run];
}
