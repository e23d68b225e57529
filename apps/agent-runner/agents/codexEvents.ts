import type { AgentEvent, TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import type { AgentParser, AgentRequest } from "./agentAdapter.ts";
import { codexAnswerStatus, codexError, codexErrorOf, codexRetry } from "./codexErrors.ts";
import { codexUsage, readCodexSession } from "./codexSession.ts";
import { codexTools, codexToolUse } from "./codexTools.ts";
import { type CodexItem, type CodexLine, type CodexUsage, codexLineSchema } from "./codexWire.ts";
import { parseJsonLine } from "./jsonLines.ts";
import { noUsage, usageSince } from "./tokenUsage.ts";

/** What has been seen so far and is needed for later events. */
type Progress = {
  request: AgentRequest;
  /** Tokens of the session before this run, null when they are not known. */
  earlier: TokenUsage | null;
  threadId: string | null;
  answer: string;
  /** Tool calls that have begun. */
  begun: Set<string>;
  /** An error whose turn has not been told to have failed. */
  error: string | null;
  /** What the turn failed with, where that tells no status. */
  failure: string | null;
  /** Of the last answer of the model service. */
  status: number | null;
  refusals: number;
  hasUsage: boolean;
  hasResult: boolean;
};

/** Codex counts tokens per session, so of a resumed one it has to be known what it had come to. */
export async function createCodexParser(request: AgentRequest): Promise<AgentParser> {
  const { home, session } = request;
  const earlier =
    session.kind === "new" ? noUsage : (await readCodexSession(home, session.id))?.total;
  const progress: Progress = {
    request,
    earlier: earlier ?? null,
    threadId: null,
    answer: "",
    begun: new Set(),
    error: null,
    failure: null,
    status: null,
    refusals: 0,
    hasUsage: false,
    hasResult: false,
  };
  return {
    line: (line) =>
      parseJsonLine(line, (value, text) => {
        const known = codexLineSchema.safeParse(value);
        return known.success
          ? eventsOf(known.data, text, progress)
          : [{ type: "raw", sourceType: String(value.type), text }];
      }),
    errorLine: (line) => {
      progress.status = codexAnswerStatus(line) ?? progress.status;
      return refusal(line, progress);
    },
    end: async ({ exit, errorOutput }) => [
      ...endEvents(exit, errorOutput, progress),
      ...statusEvents(progress),
      ...(await untold(progress)),
    ],
  };
}

function eventsOf(line: CodexLine, text: string, progress: Progress): AgentEvent[] {
  switch (line.type) {
    case "thread.started":
      progress.threadId = line.thread_id;
      return [initEvent(line.thread_id, progress.request)];
    case "item.started":
      return startEvents(line.item, text, progress);
    case "item.completed":
      return itemEvents(line.item, text, progress);
    case "error":
      return errorEvents(line.message, progress);
    case "turn.completed":
      return completionEvents(line.usage ?? null, progress);
    case "turn.failed":
      return failureEvents(line.error?.message ?? progress.error ?? "", progress);
  }
}

/** It tells its model nowhere; the one that was asked for is the one it uses. */
const initEvent = (sessionId: string, { model }: AgentRequest): AgentEvent => ({
  type: "init",
  sessionId,
  model: model ?? null,
  cwd: null,
});

function startEvents(item: CodexItem, text: string, progress: Progress): AgentEvent[] {
  if (!codexTools.has(item.type)) return [raw(`item.started/${item.type}`, text)];
  progress.begun.add(item.id);
  return [codexToolUse(item).use];
}

function itemEvents(item: CodexItem, text: string, progress: Progress): AgentEvent[] {
  if (codexTools.has(item.type)) {
    const { use, result } = codexToolUse(item);
    return progress.begun.has(item.id) ? [result] : [use, result];
  }
  switch (item.type) {
    case "agent_message":
      progress.answer = item.text ?? "";
      return [{ type: "message", role: "assistant", text: progress.answer }];
    case "reasoning":
      return [{ type: "thinking", text: item.text ?? "" }];
    case "error":
      return [{ type: "error", ...codexError(item.message ?? ""), fatal: false }];
    default:
      return [raw(`item.completed/${item.type}`, text)];
  }
}

/** The same text comes again as the failure of the turn, so it is told once. */
function errorEvents(message: string, progress: Progress): AgentEvent[] {
  const retry = codexRetry(message);
  if (retry !== null) return [retry];
  progress.error = message;
  return [];
}

function completionEvents(usage: CodexUsage | null, progress: Progress): AgentEvent[] {
  progress.hasResult = true;
  const { error, answer } = progress;
  return [
    ...(error === null ? [] : [{ type: "error" as const, ...codexError(error), fatal: false }]),
    ...(usage === null ? [] : usageEvents(codexUsage(usage), progress)),
    {
      type: "result",
      ok: true,
      reason: "completed",
      text: answer,
      turns: null,
      durationMs: null,
    },
  ];
}

function failureEvents(text: string, progress: Progress): AgentEvent[] {
  progress.hasResult = true;
  const error = codexError(text);
  progress.failure = error.status === null ? text : null;
  return [
    { type: "error", ...error, fatal: true },
    {
      type: "result",
      ok: false,
      reason: "turn_failed",
      text: error.message,
      turns: null,
      durationMs: null,
    },
  ];
}

/** The figures are of the whole session. Of this run there are some only if the earlier ones are known. */
function usageEvents(total: TokenUsage, progress: Progress): AgentEvent[] {
  const { earlier, request } = progress;
  progress.hasUsage = true;
  const session: AgentEvent = { type: "usage", scope: "session", usage: total };
  if (earlier === null) return [session];
  const run: AgentEvent = { type: "usage", scope: "run", usage: usageSince(earlier, total) };
  return request.session.kind === "new" ? [run] : [session, run];
}

/** Its session file tells the model that nobody asked for, and the tokens of a turn that did not complete. */
async function untold(progress: Progress): Promise<AgentEvent[]> {
  const { hasUsage, threadId, request } = progress;
  if (threadId === null) return [];
  const session = await readCodexSession(request.home, threadId);
  if (session === null) return [];
  const { model, total } = session;
  return [
    ...(model === null || request.model !== undefined
      ? []
      : [initEvent(threadId, { ...request, model })]),
    ...(hasUsage ? [] : usageEvents(total, progress)),
  ];
}

/** What its tools refused is told on stderr alone: no event comes of such a call. */
function refusal(line: string, progress: Progress): AgentEvent[] {
  const why = / ERROR codex_core::tools::router: error=(.*)$/.exec(line)?.[1];
  if (why === undefined) return [];
  progress.refusals += 1;
  return [
    {
      type: "tool_result",
      id: `refused_${progress.refusals}`,
      ok: false,
      ...(/rejected|blocked|denied/.test(why) ? { denied: true } : {}),
      output: why,
    },
  ];
}

function endEvents(
  exit: CommandExit | null,
  errorOutput: string,
  { hasResult, error }: Progress,
): AgentEvent[] {
  if (hasResult || exit?.exitCode === 0) return [];
  const message = error ?? lastWords(errorOutput);
  return message === "" ? [] : [{ type: "error", ...codexError(message), fatal: true }];
}

/** Output and log come by two ways, and in any order: with both read to the end, the failure has its status. */
function statusEvents({ failure, status }: Progress): AgentEvent[] {
  if (failure === null || status === null || status < 400) return [];
  return [{ type: "error", ...codexErrorOf(status, failure), fatal: true }];
}

/** Stderr holds notices and the lines of its log too. */
function lastWords(errorOutput: string): string {
  const notice = /^(WARNING: proceeding|Reading additional input|\d{4}-\d\d-\d\dT\S+ +[A-Z]+ )/;
  const lines = errorOutput.split("\n").filter((line) => line.trim() !== "" && !notice.test(line));
  return lines.join("\n");
}

const raw = (sourceType: string, text: string): AgentEvent => ({ type: "raw", sourceType, text });
