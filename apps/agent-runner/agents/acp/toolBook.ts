import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { ToolCall } from "./acpWire.ts";

type Tool = {
  name: string;
  input: unknown;
  output: string;
  isTold: boolean;
  isDone: boolean;
  isDenied: boolean;
};

const maxOutputLength = 1024 * 1024;

/**
 * The tool calls of a turn. An agent tells of one in several messages, each with what is new; here it is two
 * events, the call once its input is known and the result once it has ended.
 */
export function createToolBook() {
  const tools = new Map<string, Tool>();

  return {
    /** One message about a tool call. */
    note: (call: ToolCall, text: string): AgentEvent[] => {
      const tool = toolOf(call);
      if (isLate(tool, call)) return [{ type: "raw", sourceType: "acp/tool_call_update", text }];
      if (hasInput(call)) tool.input = call.rawInput;
      keepOutput(tool, call);
      const isKnown = hasInput(call) || (call.status ?? "pending") !== "pending";
      const told = isKnown ? tell(call.toolCallId, tool) : [];
      return isEnd(call) ? [...told, ...end(call.toolCallId, tool, call.status)] : told;
    },
    /** The agent asks whether it may; `isDenied` is what it is answered. */
    asked: (call: ToolCall, isDenied: boolean): AgentEvent[] => {
      const tool = toolOf(call);
      if (hasInput(call) && !tool.isTold) tool.input = call.rawInput;
      tool.isDenied ||= isDenied;
      return tell(call.toolCallId, tool);
    },
    /** The turn is over: calls that nothing was heard of any more. */
    close: (): AgentEvent[] =>
      [...tools].flatMap(([id, tool]) => {
        const told = tell(id, tool);
        return tool.isDenied && !tool.isDone ? [...told, ...end(id, tool, "failed")] : told;
      }),
    count: () => tools.size,
  };

  function toolOf(call: ToolCall): Tool {
    const known = tools.get(call.toolCallId);
    if (known !== undefined) return known;
    const kind = call.kind === "other" ? null : call.kind;
    const title = call.title ?? "tool";
    const places = (call.locations ?? []).map(({ path }) => path);
    const tool: Tool = {
      name: call.name ?? kind ?? title,
      input: places.length === 0 ? { title } : { title, paths: places },
      output: "",
      isTold: false,
      isDone: false,
      isDenied: false,
    };
    tools.set(call.toolCallId, tool);
    return tool;
  }

  function tell(id: string, tool: Tool): AgentEvent[] {
    if (tool.isTold) return [];
    tool.isTold = true;
    return [{ type: "tool_use", id, name: tool.name, input: tool.input }];
  }

  function end(id: string, tool: Tool, status: string | null | undefined): AgentEvent[] {
    tool.isDone = true;
    const ok = status === "completed";
    const denied = tool.isDenied && !ok ? { denied: true } : {};
    return [{ type: "tool_result", id, ok, ...denied, output: tool.output }];
  }
}

export type ToolBook = ReturnType<typeof createToolBook>;

const isEnd = ({ status }: ToolCall): boolean => status === "completed" || status === "failed";

/** It says what can no longer be said in an event: another input, or a second end. */
const isLate = (tool: Tool, call: ToolCall): boolean =>
  (tool.isTold && hasInput(call) && !isSame(call.rawInput, tool.input)) ||
  (tool.isDone && isEnd(call));

const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

const hasInput = ({ rawInput }: ToolCall): boolean =>
  typeof rawInput === "string" ||
  (typeof rawInput === "object" && rawInput !== null && Object.keys(rawInput).length > 0);

/** Each content replaces the one before it; pieces of a terminal's output follow on each other. */
function keepOutput(tool: Tool, call: ToolCall): void {
  const texts = (call.content ?? []).flatMap(({ content }) => content?.text ?? []);
  const piece = call._meta?.terminal_output_delta;
  if (texts.length > 0) tool.output = texts.join("\n");
  else if (typeof piece === "object" && piece !== null && "data" in piece)
    tool.output = (tool.output + String(piece.data)).slice(0, maxOutputLength);
  else if (isEnd(call) && tool.output === "") tool.output = textOf(call.rawOutput);
}

function textOf(rawOutput: unknown): string {
  if (typeof rawOutput === "string") return rawOutput;
  if (typeof rawOutput !== "object" || rawOutput === null) return "";
  for (const name of ["output", "content", "message", "error"]) {
    const value = (rawOutput as Record<string, unknown>)[name];
    if (typeof value === "string") return value;
  }
  return JSON.stringify(rawOutput);
}
