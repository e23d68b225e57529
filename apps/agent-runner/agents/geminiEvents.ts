import type { AgentErrorKind, AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import type { AgentParser } from "./agentAdapter.ts";
import { kindOfStatus, kindOfText } from "./errorKinds.ts";
import {
  type GeminiLine,
  type GeminiResult,
  type GeminiToolResult,
  geminiLineSchema,
} from "./geminiWire.ts";
import { parseJsonLine } from "./jsonLines.ts";

/** What has been seen so far and is needed for the last event. */
type Progress = {
  answer: string;
  hasLooped: boolean;
  hasResult: boolean;
  /** What the run failed with, where that tells no status. */
  failure: string | null;
};

const maxAnswerLength = 1024 * 1024;

export function createGeminiParser(): AgentParser {
  const progress: Progress = { answer: "", hasLooped: false, hasResult: false, failure: null };
  return {
    line: (line) =>
      parseJsonLine(line, (value, text) => {
        const known = geminiLineSchema.safeParse(value);
        return known.success
          ? eventsOf(known.data, progress)
          : [{ type: "raw", sourceType: String(value.type), text }];
      }),
    errorLine: retryEvents,
    end: ({ exit, errorOutput }) =>
      progress.hasResult ? statusEvents(exit, progress) : endEvents(exit, errorOutput),
  };
}

function eventsOf(line: GeminiLine, progress: Progress): AgentEvent[] {
  switch (line.type) {
    case "init":
      return [
        { type: "init", sessionId: line.session_id ?? null, model: line.model ?? null, cwd: null },
      ];
    case "message":
      if (line.role === "assistant" && progress.answer.length < maxAnswerLength)
        progress.answer += line.content;
      return [
        {
          type: "message",
          role: line.role,
          text: line.content,
          ...(line.delta == null ? {} : { delta: line.delta }),
        },
      ];
    case "tool_use":
      progress.answer = "";
      return [{ type: "tool_use", id: line.tool_id, name: line.tool_name, input: line.parameters }];
    case "tool_result":
      return [toolResult(line)];
    case "error":
      progress.hasLooped ||= isLoop(line.message);
      return [errorEvent(kindOfText(line.message), null, line.message, isLoop(line.message))];
    case "result":
      progress.hasResult = true;
      return resultEvents(line, progress);
  }
}

/**
 * A tool that may not be used is not offered at all, and a call of it comes back as unknown: where editing is
 * forbidden every edit ends like that, so it counts as denied.
 */
const denials = new Set([
  "tool_not_registered",
  "policy_violation",
  "path_not_in_workspace",
  "sandbox_expansion_required",
]);

/** A path outside the workspace is refused as a wrong parameter; that it is more than that, only the text says. */
const outsideWorkspace = "Path not in workspace: ";

function toolResult(line: GeminiToolResult): AgentEvent {
  const { type, message } = line.error ?? {};
  const isDenied = denials.has(type ?? "") || message?.startsWith(outsideWorkspace) === true;
  return {
    type: "tool_result",
    id: line.tool_id,
    ok: line.status === "success",
    ...(isDenied ? { denied: true } : {}),
    output: line.output ?? line.error?.message ?? "",
  };
}

/** A run that was stopped for going in circles reports success; it is none. */
function resultEvents(line: GeminiResult, progress: Progress): AgentEvent[] {
  const isOk = line.status === "success" && !progress.hasLooped;
  const message = line.error?.message ?? "";
  const reason = line.error?.type ?? (progress.hasLooped ? "loop_detected" : line.status);
  return [
    ...usageEvents(line),
    ...(line.status === "success" ? [] : [resultError(reason, message, progress)]),
    {
      type: "result",
      ok: isOk,
      reason,
      text: isOk ? progress.answer : message,
      turns: null,
      durationMs: line.stats?.duration_ms ?? null,
    },
  ];
}

function resultError(type: string, message: string, progress: Progress): AgentEvent {
  if (type === "FatalTurnLimitedError") return errorEvent("turn_limit", null, message, true);
  const status = /"code":\s*(\d{3})\b/.exec(message)?.[1];
  if (status !== undefined)
    return errorEvent(kindOfStatus(Number(status), message), Number(status), message, true);
  progress.failure = message;
  return errorEvent(kindOfText(withoutAdvice(message)), null, message, true);
}

/** After what went wrong it gives advice, in which other errors are named. */
const withoutAdvice = (message: string): string => message.replace(/\]\nPlease wait .*$/s, "]");

/** Thoughts are in the total only. `input_tokens` includes what came from the cache; there is no price. */
function usageEvents({ stats }: GeminiResult): AgentEvent[] {
  if (stats == null) return [];
  const inputTokens = stats.input_tokens ?? 0;
  const answerTokens = stats.output_tokens ?? 0;
  const reasoningTokens = Math.max(0, (stats.total_tokens ?? 0) - inputTokens - answerTokens);
  return [
    {
      type: "usage",
      scope: "run",
      usage: {
        inputTokens,
        cachedInputTokens: stats.cached ?? 0,
        cacheWriteTokens: 0,
        outputTokens: answerTokens + reasoningTokens,
        reasoningTokens,
        costMicroUsd: null,
      },
    },
  ];
}

/** Waits between tries are told on stderr alone. */
function retryEvents(line: string): AgentEvent[] {
  const known = /^Attempt (\d+) failed(?: with status (\d{3})|: (.*))/.exec(line);
  if (known === null) return [];
  const [, attempt, code, why = ""] = known;
  const status = code === undefined ? null : Number(code);
  const kind = status === null ? kindOfText(why) : kindOfStatus(status, line);
  return [{ type: "retry", attempt: Number(attempt), max: null, delayMs: null, status, kind }];
}

const kindsOfExit: Record<number, AgentErrorKind> = {
  41: "auth",
  42: "invalid_request",
  44: "permission",
  52: "invalid_request",
  53: "turn_limit",
  55: "permission",
};

/** It ends with the HTTP status modulo 256 where a service refused it. */
function statusOfExit(exit: CommandExit | null): number | null {
  const code = exit?.exitCode ?? null;
  return code !== null && code >= 144 ? code + 256 : null;
}

/** What it says of 429 and 503 are words of its own; its exit code tells which it was. */
function statusEvents(exit: CommandExit | null, { failure }: Progress): AgentEvent[] {
  const status = statusOfExit(exit);
  if (failure === null || status === null) return [];
  return [errorEvent(kindOfStatus(status, withoutAdvice(failure)), status, failure, true)];
}

function endEvents(exit: CommandExit | null, errorOutput: string): AgentEvent[] {
  const code = exit?.exitCode ?? null;
  if (code === null || code === 0) return [];
  const message = lastWords(errorOutput) || `it ended with exit code ${code}`;
  const status = statusOfExit(exit);
  const kind = status === null ? kindsOfExit[code] : kindOfStatus(status, message);
  return [errorEvent(kind ?? kindOfText(message), status, message, true)];
}

/** Stderr begins with notices about the terminal; what went wrong comes after them. */
function lastWords(errorOutput: string): string {
  const notice = /^(Warning: |YOLO mode |Ripgrep is not |\[STARTUP\] )/;
  const lines = errorOutput.split("\n").filter((line) => line.trim() !== "" && !notice.test(line));
  return lines.join("\n");
}

const isLoop = (message: string): boolean => message.startsWith("Loop detected");

const errorEvent = (
  kind: AgentErrorKind,
  status: number | null,
  message: string,
  fatal: boolean,
): AgentEvent => ({ type: "error", kind, status, message, fatal });
