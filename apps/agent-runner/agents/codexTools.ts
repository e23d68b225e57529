import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { CodexItem } from "./codexWire.ts";

/** The items of Codex that are calls of tools. */
export const codexTools: ReadonlySet<string> = new Set([
  "command_execution",
  "file_change",
  "mcp_tool_call",
  "collab_tool_call",
  "web_search",
  "todo_list",
]);

/** An item as the call of a tool and as its result. */
export function codexToolUse(item: CodexItem): { use: AgentEvent; result: AgentEvent } {
  const { id, status } = item;
  const { name, input, output } = callOf(item);
  return {
    use: { type: "tool_use", id, name, input },
    result: {
      type: "tool_result",
      id,
      ok: status == null || status === "completed",
      ...(status === "declined" ? { denied: true } : {}),
      output,
    },
  };
}

type Call = { name: string; input: unknown; output: string };

function callOf(item: CodexItem): Call {
  const name = item.type;
  switch (item.type) {
    case "command_execution":
      return { name, input: { command: item.command }, output: item.aggregated_output ?? "" };
    case "file_change":
      return { name, input: { changes: item.changes }, output: changesOf(item) };
    case "web_search":
      return { name, input: { query: item.query }, output: "" };
    case "todo_list":
      return { name, input: { items: item.items }, output: "" };
    default:
      return {
        name: [item.server, item.tool ?? name].filter((word) => word != null).join("."),
        input: item.arguments,
        output: item.error?.message ?? (item.result == null ? "" : JSON.stringify(item.result)),
      };
  }
}

const changesOf = ({ changes }: CodexItem): string =>
  (changes ?? []).map(({ kind, path }) => `${kind ?? "change"} ${path}`).join("\n");
