import type {
  AgentErrorKind,
  AgentEvent,
  TokenUsage,
} from "../../../shared/contracts/agentEvent.ts";
import type { AgentParser } from "./agentAdapter.ts";
import {
  type ClaudeLine,
  type ClaudeResult,
  type ClaudeSystem,
  type ContentBlock,
  claudeLineSchema,
  type ModelUsage,
} from "./claudeCodeWire.ts";
import { kindOfStatus, kindOfText } from "./errorKinds.ts";
import { parseJsonLine } from "./jsonLines.ts";

/** Tool calls of a run that were refused, and those of them whose result has gone out. */
type Denials = { refused: Set<string>; told: Set<string> };

export function createClaudeCodeParser(): AgentParser {
  const denials: Denials = { refused: new Set(), told: new Set() };
  let hasResult = false;
  return {
    line: (line) =>
      parseJsonLine(line, (value, text) => {
        const known = claudeLineSchema.safeParse(value);
        if (!known.success) return [raw(String(value.type), text)];
        hasResult ||= known.data.type === "result";
        return eventsOf(known.data, text, denials);
      }),
    errorLine: () => [],
    end: ({ exit, errorOutput }) =>
      hasResult || exit?.exitCode === 0 || errorOutput.trim() === ""
        ? []
        : [fatal(kindOfText(errorOutput), null, errorOutput.trim())],
  };
}

function eventsOf(line: ClaudeLine, text: string, denials: Denials): AgentEvent[] {
  switch (line.type) {
    case "system":
      return systemEvents(line, text, denials);
    case "assistant":
      return blocksOf(line.message?.content).flatMap((block) => assistantEvents(block, text));
    case "user":
      return blocksOf(line.message?.content).flatMap((block) => userEvents(block, text, denials));
    case "result":
      return resultEvents(line, denials);
  }
}

function systemEvents(line: ClaudeSystem, text: string, denials: Denials): AgentEvent[] {
  if (line.subtype === "init") return [initEvent(line)];
  if (line.subtype === "api_retry") return [retryEvent(line)];
  if (line.subtype === "permission_denied" && line.tool_use_id)
    denials.refused.add(line.tool_use_id);
  return [raw(`system/${line.subtype ?? ""}`, text)];
}

const initEvent = (line: ClaudeSystem): AgentEvent => ({
  type: "init",
  sessionId: line.session_id ?? null,
  model: line.model ?? null,
  cwd: line.cwd ?? null,
  tools: line.tools ?? [],
});

const retryEvent = (line: ClaudeSystem): AgentEvent => ({
  type: "retry",
  attempt: line.attempt ?? 0,
  max: line.max_retries ?? null,
  delayMs: line.retry_delay_ms == null ? null : Math.round(line.retry_delay_ms),
  status: line.error_status ?? null,
  kind: retryKind(line),
});

function retryKind(line: ClaudeSystem): AgentErrorKind {
  const text = line.error ?? "";
  return line.error_status == null ? kindOfText(text) : kindOfStatus(line.error_status, text);
}

function assistantEvents(block: ContentBlock, text: string): AgentEvent[] {
  if (block.type === "text")
    return [{ type: "message", role: "assistant", text: block.text ?? "" }];
  if (block.type === "thinking") return [{ type: "thinking", text: block.thinking ?? "" }];
  if (block.type === "tool_use")
    return [{ type: "tool_use", id: block.id ?? "", name: block.name ?? "", input: block.input }];
  return [raw(`assistant/${block.type}`, text)];
}

function userEvents(block: ContentBlock, text: string, denials: Denials): AgentEvent[] {
  if (block.type === "text") return [{ type: "message", role: "user", text: block.text ?? "" }];
  if (block.type !== "tool_result") return [raw(`user/${block.type}`, text)];
  const id = block.tool_use_id ?? "";
  const isDenied = denials.refused.has(id);
  if (isDenied) denials.told.add(id);
  return [
    {
      type: "tool_result",
      id,
      ok: block.is_error !== true,
      ...(isDenied ? { denied: true } : {}),
      output: textOf(block.content),
    },
  ];
}

function resultEvents(result: ClaudeResult, denials: Denials): AgentEvent[] {
  const isOk = result.is_error !== true && result.subtype === "success";
  const text = result.result ?? (result.errors ?? []).join("\n");
  return [
    ...untoldDenials(result, denials),
    ...(result.usage == null ? [] : [usageEvent(result)]),
    ...(isOk ? [] : [fatal(kindOfResult(result, text), result.api_error_status ?? null, text)]),
    {
      type: "result",
      ok: isOk,
      reason: result.terminal_reason ?? result.subtype ?? "unknown",
      text,
      turns: result.num_turns ?? null,
      durationMs: result.duration_ms == null ? null : Math.round(result.duration_ms),
    },
  ];
}

/** A refusal that only the last line tells of is one that no tool result was seen for. */
function untoldDenials(result: ClaudeResult, denials: Denials): AgentEvent[] {
  return (result.permission_denials ?? []).flatMap(({ tool_use_id: id }) =>
    id == null || denials.told.has(id)
      ? []
      : [{ type: "tool_result" as const, id, ok: false, denied: true, output: "" }],
  );
}

const kindsOfReason: Record<string, AgentErrorKind> = {
  max_turns: "turn_limit",
  budget_exhausted: "budget",
  aborted_streaming: "cancelled",
  aborted_tools: "cancelled",
};
const kindsOfSubtype: Record<string, AgentErrorKind> = {
  error_max_turns: "turn_limit",
  error_max_budget_usd: "budget",
};

function kindOfResult(result: ClaudeResult, text: string): AgentErrorKind {
  if (result.api_error_status != null) return kindOfStatus(result.api_error_status, text);
  if (/not logged in|authenticat/i.test(text)) return "auth";
  if (/no conversation found/i.test(text)) return "invalid_request";
  return (
    kindsOfReason[result.terminal_reason ?? ""] ??
    kindsOfSubtype[result.subtype ?? ""] ??
    kindOfText(`${result.api_error ?? ""} ${text}`)
  );
}

/**
 * `input_tokens` leaves out what came from, or went to, the cache. Of a resumed session `total_cost_usd` is of
 * all its runs; the figures since the last result are of this one.
 */
function usageEvent(result: ClaudeResult): AgentEvent {
  const models = Object.values(result.model_usage_since_last_result ?? {});
  return { type: "usage", scope: "run", usage: models.length > 0 ? sum(models) : plain(result) };
}

function sum(models: readonly ModelUsage[]): TokenUsage {
  const total = (pick: (usage: ModelUsage) => number | null | undefined) =>
    models.reduce((sofar, usage) => sofar + (pick(usage) ?? 0), 0);
  const cachedInputTokens = total((usage) => usage.cacheReadInputTokens);
  const cacheWriteTokens = total((usage) => usage.cacheCreationInputTokens);
  return {
    inputTokens: total((usage) => usage.inputTokens) + cachedInputTokens + cacheWriteTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens: total((usage) => usage.outputTokens),
    reasoningTokens: total((usage) => usage.thinkingTokens),
    costMicroUsd: Math.round(total((usage) => usage.costUSD) * 1e6),
  };
}

function plain({ usage, total_cost_usd: cost }: ClaudeResult): TokenUsage {
  const cachedInputTokens = usage?.cache_read_input_tokens ?? 0;
  const cacheWriteTokens = usage?.cache_creation_input_tokens ?? 0;
  return {
    inputTokens: (usage?.input_tokens ?? 0) + cachedInputTokens + cacheWriteTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens: usage?.output_tokens ?? 0,
    reasoningTokens: 0,
    costMicroUsd: cost == null ? null : Math.round(cost * 1e6),
  };
}

const blocksOf = (content: string | ContentBlock[] | null | undefined): ContentBlock[] =>
  typeof content === "string" ? [{ type: "text", text: content, input: null }] : (content ?? []);

const textOf = (content: ContentBlock["content"]): string =>
  typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");

const raw = (sourceType: string, text: string): AgentEvent => ({ type: "raw", sourceType, text });

const fatal = (kind: AgentErrorKind, status: number | null, message: string): AgentEvent => ({
  type: "error",
  kind,
  status,
  message,
  fatal: true,
});
