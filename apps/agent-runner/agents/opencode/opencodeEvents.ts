import type { AgentEvent, TokenUsage } from "../../../../shared/contracts/agentEvent.ts";
import { kindOfStatus } from "../errorKinds.ts";
import { type Failure, failureOfText } from "../failureText.ts";
import {
  anyEventSchema,
  type Part,
  type ServeError,
  type ServeEvent,
  type StepFinish,
  serveEventSchema,
  type ToolPart,
} from "./opencodeWire.ts";

/** What follows from one event of the server. `done`: the turn is over, and these are its last events. */
export type ReadEvent = { kind: "going_on" | "done"; events: AgentEvent[] };

const nothing: ReadEvent = { kind: "going_on", events: [] };

/** Kinds of events that say nothing of the work; all others that are not known go out as `raw`. */
const noise =
  /^(server|plugin|catalog|reference|integration|file|lsp|project|vcs|mcp)\.|^session\.(created|updated|diff|deleted)$|^(message\.(removed|part\.removed)|installation\..*|todo\.updated)$/;

const maxTextLength = 1024 * 1024;

/**
 * Reads the events of one session in a server that tells of all. Text comes in pieces as it is written; a thought
 * and a tool's result come whole, when they are.
 */
export function createEventReader(sessionId: string) {
  const users = new Set<string>();
  const streamed = new Map<string, string>();
  const toldTools = new Set<string>();
  let usage: TokenUsage | null = null;
  let failure: Failure | null = null;
  let answer = "";
  let turns = 0;
  let hasBegun = false;

  return {
    read: (value: unknown, text: string): ReadEvent => {
      const any = anyEventSchema.safeParse(value);
      if (!any.success) return going([{ type: "raw", sourceType: "opencode/unknown", text }]);
      const { type, properties } = any.data;
      const isOurs = (properties?.sessionID ?? sessionId) === sessionId;
      if (!isOurs || noise.test(type)) return nothing;
      const known = serveEventSchema.safeParse(value);
      if (known.success) return follow(known.data, text);
      return going([{ type: "raw", sourceType: `opencode/${type}`, text }]);
    },
    /** The last events of a turn that was left without its end. */
    end,
  };

  function follow(event: ServeEvent, text: string): ReadEvent {
    switch (event.type) {
      case "message.updated":
        if (event.properties.info.role === "user") users.add(event.properties.info.id);
        return nothing;
      case "message.part.updated":
        return users.has(event.properties.part.messageID)
          ? nothing
          : going(partEvents(event.properties.part));
      case "message.part.delta":
        return going(deltaEvents(event.properties));
      case "session.status":
        hasBegun ||= event.properties.status.type !== "idle";
        return going(retryEvents(event.properties.status));
      case "session.error":
        failure = failureOf(event.properties.error, text);
        return nothing;
      case "session.idle":
        return hasBegun || failure !== null ? { kind: "done", events: end(null) } : nothing;
    }
  }

  function partEvents(part: Part): AgentEvent[] {
    switch (part.type) {
      case "text":
      case "reasoning":
        return part.time?.end == null ? opened(part) : closed(part);
      case "tool":
        return toolEvents(part, toldTools);
      case "step-finish":
        turns += 1;
        usage = sum(usage, usageOf(part));
        return [{ type: "usage", scope: "step", usage: usageOf(part) }];
      default:
        return [];
    }
  }

  function opened(part: Extract<Part, { text: string }>): AgentEvent[] {
    if (part.type === "text" && !streamed.has(part.id)) streamed.set(part.id, "");
    return [];
  }

  function closed(part: Extract<Part, { text: string }>): AgentEvent[] {
    if (part.type === "reasoning")
      return part.text === "" ? [] : [{ type: "thinking", text: part.text }];
    const told = streamed.get(part.id) ?? "";
    streamed.delete(part.id);
    answer = part.text.slice(0, maxTextLength);
    const rest = part.text.startsWith(told) ? part.text.slice(told.length) : part.text;
    return rest === "" ? [] : [{ type: "message", role: "assistant", text: rest, delta: true }];
  }

  function deltaEvents({ partID, field, delta }: { partID: string; field: string; delta: string }) {
    const told = streamed.get(partID);
    if (told === undefined || field !== "text") return [];
    streamed.set(partID, (told + delta).slice(0, maxTextLength));
    return [{ type: "message" as const, role: "assistant" as const, text: delta, delta: true }];
  }

  function end(lost: Failure | null): AgentEvent[] {
    const found = failure ?? lost ?? (turns === 0 ? unsaid : null);
    const used: AgentEvent[] = usage === null ? [] : [{ type: "usage", scope: "run", usage }];
    if (found === null) return [...used, resultEvent(true, "idle", answer, turns)];
    const reason = found.kind === "cancelled" ? "cancelled" : "error";
    return [
      ...used,
      { type: "error", ...found, fatal: true },
      resultEvent(false, reason, found.message, turns),
    ];
  }
}

const resultEvent = (ok: boolean, reason: string, text: string, turns: number): AgentEvent => ({
  type: "result",
  ok,
  reason,
  text,
  turns,
  durationMs: null,
});

const going = (events: AgentEvent[]): ReadEvent => ({ kind: "going_on", events });

const unsaid: Failure = {
  kind: "unknown",
  status: null,
  message: "The turn ended without a word.",
};

function toolEvents({ callID: id, tool, state }: ToolPart, told: Set<string>): AgentEvent[] {
  if (state.status === "pending") return [];
  const isNew = !told.has(id);
  told.add(id);
  const call: AgentEvent[] = isNew
    ? [{ type: "tool_use", id, name: tool, input: state.input }]
    : [];
  if (state.status === "completed") return [...call, completed(id, tool, state.output ?? "")];
  if (state.status !== "error") return call;
  const output = state.error ?? "";
  const denied = /permission|rule which prevents/i.test(output) ? { denied: true } : {};
  return [...call, { type: "tool_result", id, ok: false, ...denied, output }];
}

/**
 * A call that it cannot make becomes one of its tool `invalid`, which completes. A tool that may not be used is not
 * offered at all, so a call of it ends like that, and counts as denied.
 */
function completed(id: string, tool: string, output: string): AgentEvent {
  if (tool !== "invalid") return { type: "tool_result", id, ok: true, output };
  const denied = output.includes("unavailable tool") ? { denied: true } : {};
  return { type: "tool_result", id, ok: false, ...denied, output };
}

/** Its input is what the cache did not have, its output what was no reasoning. A model without a price costs 0. */
function usageOf({ tokens, cost }: StepFinish): TokenUsage {
  const { read, write } = tokens.cache ?? { read: 0, write: 0 };
  const reasoning = tokens.reasoning ?? 0;
  return {
    inputTokens: tokens.input + read + write,
    cachedInputTokens: read,
    cacheWriteTokens: write,
    outputTokens: tokens.output + reasoning,
    reasoningTokens: reasoning,
    costMicroUsd: cost ? Math.round(cost * 1e6) : null,
  };
}

function sum(one: TokenUsage | null, other: TokenUsage): TokenUsage {
  if (one === null) return other;
  const isPriced = one.costMicroUsd !== null && other.costMicroUsd !== null;
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    costMicroUsd: isPriced ? Number(one.costMicroUsd) + Number(other.costMicroUsd) : null,
  };
}

function retryEvents({
  type,
  attempt,
  message,
}: Extract<ServeEvent, { type: "session.status" }>["properties"]["status"]): AgentEvent[] {
  if (type !== "retry") return [];
  const { kind, status } = failureOfText(message ?? "");
  return [{ type: "retry", attempt: attempt ?? 0, max: null, delayMs: null, status, kind }];
}

const kindsOfName: Record<string, Failure["kind"]> = {
  ProviderAuthError: "auth",
  MessageAbortedError: "cancelled",
  MessageOutputLengthError: "turn_limit",
  ContextOverflowError: "invalid_request",
};

function failureOf(error: ServeError, text: string): Failure {
  const message = error?.data?.message ?? error?.name ?? text;
  const status = error?.data?.statusCode ?? null;
  const kind = kindsOfName[error?.name ?? ""];
  if (kind !== undefined) return { kind, status, message };
  if (status === null) return failureOfText(message);
  return { kind: kindOfStatus(status, message), status, message };
}
