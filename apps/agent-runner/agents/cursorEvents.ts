import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import type { AgentParser } from "./agentAdapter.ts";
import { type CursorLine, type CursorToolCall, cursorLineSchema } from "./cursorWire.ts";
import { kindOfText } from "./errorKinds.ts";
import { parseJsonLine } from "./jsonLines.ts";

/** What has been seen so far and is needed for the last event. */
type Progress = { answer: string; hasResult: boolean };

export function createCursorParser(): AgentParser {
  const progress: Progress = { answer: "", hasResult: false };
  return {
    line: (line) =>
      parseJsonLine(line, (value, text) => {
        const known = cursorLineSchema.safeParse(value);
        return known.success
          ? eventsOf(known.data, progress)
          : [{ type: "raw", sourceType: String(value.type), text }];
      }),
    errorLine: () => [],
    end: ({ exit, errorOutput }) => (progress.hasResult ? [] : endEvents(exit, errorOutput)),
  };
}

function eventsOf(line: CursorLine, progress: Progress): AgentEvent[] {
  switch (line.type) {
    case "system": {
      const { session_id: sessionId, model, cwd } = line;
      return [
        { type: "init", sessionId: sessionId ?? null, model: model ?? null, cwd: cwd ?? null },
      ];
    }
    case "user":
      return [{ type: "message", role: "user", text: textOf(line) }];
    case "assistant":
      progress.answer = textOf(line);
      return [{ type: "message", role: "assistant", text: progress.answer }];
    case "tool_call":
      return toolEvents(line);
    case "result":
      progress.hasResult = true;
      return resultEvents(line, progress);
  }
}

const textOf = ({ message }: Extract<CursorLine, { type: "user" | "assistant" }>): string =>
  (message.content ?? []).map(({ text }) => text ?? "").join("\n");

function toolEvents(line: Extract<CursorLine, { type: "tool_call" }>): AgentEvent[] {
  const { name, input, result } = callOf(line.tool_call);
  const id = line.call_id;
  if (line.subtype === "started") return [{ type: "tool_use", id, name, input }];
  const isDenied = "rejected" in result || "permissionDenied" in result;
  return [
    {
      type: "tool_result",
      id,
      ok: "success" in result,
      ...(isDenied ? { denied: true } : {}),
      output: JSON.stringify(Object.values(result)[0] ?? null),
    },
  ];
}

function callOf(toolCall: CursorToolCall) {
  const [[key, call] = ["", {}]] = Object.entries(toolCall);
  return {
    name: call.name ?? key.replace(/ToolCall$/, ""),
    input: call.args ?? call.arguments,
    result: call.result ?? {},
  };
}

/** `result` joins all that was said without a gap; the last message is the answer. */
function resultEvents(
  line: Extract<CursorLine, { type: "result" }>,
  { answer }: Progress,
): AgentEvent[] {
  const ok = line.is_error !== true && line.subtype === "success";
  const text = ok ? answer : (line.result ?? "");
  return [
    ...(ok ? [] : [fatal(text)]),
    {
      type: "result",
      ok,
      reason: line.subtype ?? "unknown",
      text,
      turns: null,
      durationMs: line.duration_ms == null ? null : Math.max(0, Math.round(line.duration_ms)),
    },
  ];
}

/** A failure is told on stderr alone. */
function endEvents(exit: CommandExit | null, errorOutput: string): AgentEvent[] {
  const message = errorOutput.trim();
  return exit?.exitCode === 0 || message === "" ? [] : [fatal(message)];
}

const fatal = (message: string): AgentEvent => ({
  type: "error",
  kind: /not logged in|authenticat|api key/i.test(message) ? "auth" : kindOfText(message),
  status: null,
  message,
  fatal: true,
});
