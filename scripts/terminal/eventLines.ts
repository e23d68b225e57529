import type { AgentEvent, TokenUsage } from "../../shared/contracts/agentEvent.ts";
import { count, duration, money, oneLine, type Paint, printable, type Style } from "./style.ts";

export type Teller = {
  paint: Paint;
  width: number;
  /** When the story began: every line says how long ago that was. */
  startedAtMs: number;
};

type Line = { who: string; style: Style; text: string };

/** What a person wants to read of an event, as lines; none for what only machines need. */
export function createEventLines(teller: Teller) {
  let agent = "agent";
  let saying = "";

  /** Pieces of one message are told as one. */
  const flush = (atMs: number): string[] => {
    const text = saying;
    saying = "";
    return text.trim() === "" ? [] : paragraph(teller, atMs, { who: agent, style: "cyan", text });
  };

  return {
    lines(atMs: number, event: AgentEvent): string[] {
      if (event.type === "agent_started") agent = event.agent;
      if (event.type === "message" && event.role === "assistant") {
        saying += event.text;
        return event.delta === true ? [] : flush(atMs);
      }
      const line = tell(event, agent, teller.width - gutter);
      return [...flush(atMs), ...(line === null ? [] : [format(teller, atMs, line)])];
    },
    end: flush,
  };
}

const gutter = 24;

function tell(event: AgentEvent, agent: string, width: number): Line | null {
  return tellOfRun(event, agent) ?? tellOfAgent(event, agent, width) ?? tellOfPatch(event) ?? null;
}

function tellOfRun(event: AgentEvent, agent: string): Line | null {
  switch (event.type) {
    case "workspace_ready":
      return {
        who: "workspace",
        style: "gray",
        text: `${count(event.files, "file")} at commit ${event.baseCommit.slice(0, 10)}, in ${duration(event.durationMs)}`,
      };
    case "agent_started":
      return { who: agent, style: "cyan", text: `started, version ${event.version}` };
    case "agent_exited":
      return event.exitCode === 0
        ? null
        : {
            who: agent,
            style: "yellow",
            text: `ended with ${event.signal ?? `exit code ${event.exitCode}`}`,
          };
    case "diff":
      return {
        who: "patch",
        style: "magenta",
        text: `${count(event.files, "file")}, ${count(event.operations, "operation")}, +${event.addedLines} −${event.removedLines} lines`,
      };
    case "egress_denied":
      return { who: "network", style: "yellow", text: `denied ${event.host}: ${event.because}` };
    case "interrupted":
      return { who: "runner", style: "yellow", text: `was interrupted: ${event.reason}` };
    case "parse_warning":
      return { who: "runner", style: "yellow", text: event.message };
    default:
      return null;
  }
}

function tellOfAgent(event: AgentEvent, agent: string, width: number): Line | null {
  switch (event.type) {
    case "tool_use": {
      const text = oneLine(`${event.name} ${shownInput(event.input)}`, width);
      return { who: "tool", style: "blue", text };
    }
    case "tool_result":
      return toolResult(event, width);
    case "retry": {
      const text = `the model service refused (${event.kind}), attempt ${event.attempt} follows`;
      return { who: agent, style: "yellow", text };
    }
    case "error":
      return {
        who: agent,
        style: event.fatal ? "red" : "yellow",
        text: oneLine(event.message, width),
      };
    case "usage":
      return event.scope === "step"
        ? null
        : { who: "used", style: "gray", text: usageText(event.usage) };
    case "result":
      return { who: agent, ...resultText(event, width) };
    default:
      return null;
  }
}

function toolResult(event: Extract<AgentEvent, { type: "tool_result" }>, width: number): Line {
  const said = oneLine(gist(event.output), width - 10);
  if (event.ok) return { who: "", style: "gray", text: `→ ${said || "done"}` };
  return { who: "tool", style: "yellow", text: `${event.denied ? "denied" : "failed"}: ${said}` };
}

export const usageText = (usage: TokenUsage): string =>
  `${count(usage.inputTokens, "token")} in, ${count(usage.outputTokens, "token")} out, ${money(usage.costMicroUsd)}`;

function resultText(
  { ok, text, reason, durationMs }: Extract<AgentEvent, { type: "result" }>,
  width: number,
): Omit<Line, "who"> {
  if (!ok) return { style: "red", text: oneLine(`gave up: ${text || reason}`, width) };
  return {
    style: "green",
    text: `done${durationMs === null ? "" : ` in ${duration(durationMs)}`}`,
  };
}

function tellOfPatch(event: AgentEvent): Line | null {
  switch (event.type) {
    case "patch_applied":
      return {
        who: "patch",
        style: "magenta",
        text: `applied to a clean checkout, tree ${event.treeId.slice(0, 10)}`,
      };
    case "command_started":
      return { who: "validation", style: "blue", text: `$ ${event.argv.map(printable).join(" ")}` };
    case "command_finished":
      return {
        who: "validation",
        style: event.status === "passed" ? "green" : "red",
        text: `${event.name} ${event.status.replace("_", " ")} in ${duration(event.durationMs)}`,
      };
    case "state":
      return {
        who: "task",
        style: "bold",
        text: `${event.task}${event.because === null ? "" : `: ${event.because}`}`,
      };
    default:
      return null;
  }
}

function format({ paint, startedAtMs }: Teller, atMs: number, { who, style, text }: Line): string {
  const time = `${((atMs - startedAtMs) / 1_000).toFixed(1)} s`.padStart(8);
  return `${paint("gray", time)}  ${paint(style, who.padEnd(12))}  ${text}`;
}

/** Text of an agent, folded at words. */
function paragraph(teller: Teller, atMs: number, line: Line): string[] {
  const width = Math.max(40, teller.width - gutter);
  const folded = printable(line.text)
    .trim()
    .split("\n")
    .flatMap((row) => fold(row, width));
  return folded.map((text, index) =>
    index === 0 ? format(teller, atMs, { ...line, text }) : `${" ".repeat(gutter)}${text}`,
  );
}

function fold(text: string, width: number): string[] {
  const rows: string[] = [];
  let row = "";
  for (const word of text.split(" ")) {
    if (row !== "" && row.length + 1 + word.length > width) {
      rows.push(row);
      row = word;
    } else row = row === "" ? word : `${row} ${word}`;
  }
  return [...rows, row];
}

/** The one thing of a tool's input that tells what it does. */
function shownInput(input: unknown): string {
  if (input === null || typeof input !== "object") return String(input ?? "");
  const telling = ["command", "file_path", "path", "absolute_path", "pattern", "query", "url"];
  for (const name of telling) {
    const value = Reflect.get(input, name);
    if (typeof value === "string") return value.replace(/^\S*\/workspace\//, "");
  }
  return JSON.stringify(input);
}

/** What a tool printed, in a line: the counts of a test run if it was one, else its last line. */
function gist(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const counts = lines.filter((line) => /^\W*(pass|fail|passed|failed|tests?)\s+\d+$/i.test(line));
  return counts.length > 0
    ? counts.map((line) => line.replace(/^\W+/, "")).join(", ")
    : (lines.at(-1) ?? "");
}
