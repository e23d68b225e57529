import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";

export type SplitLine = { kind: "line"; text: string } | { kind: "too_long"; bytes: number };

const newline = 10;

/**
 * Splits a stream of bytes at newlines. A character cut by a chunk is whole again since only whole lines are
 * decoded; of a line beyond the cap only the length is kept.
 */
export function createLineSplitter(maxLineBytes: number) {
  let parts: Buffer[] = [];
  let bytes = 0;

  const take = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= maxLineBytes) parts.push(part);
    else parts = [];
  };
  const finish = (): SplitLine => {
    const line: SplitLine =
      bytes > maxLineBytes
        ? { kind: "too_long", bytes }
        : { kind: "line", text: Buffer.concat(parts).toString("utf8") };
    parts = [];
    bytes = 0;
    return line;
  };

  return {
    push(chunk: Buffer): SplitLine[] {
      const lines: SplitLine[] = [];
      let start = 0;
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, start)) {
        take(chunk.subarray(start, at));
        lines.push(finish());
        start = at + 1;
      }
      take(chunk.subarray(start));
      return lines;
    },
    /** The last line, if the stream ended without a newline. */
    end: (): SplitLine[] => (bytes === 0 ? [] : [finish()]),
  };
}

/**
 * Turns one line into events by what its JSON value says; a line that is no object is a warning, not a fault.
 * The text goes out whole: a secret that is cut in two is one that nothing masks.
 */
export function parseJsonLine(
  line: SplitLine,
  read: (value: Record<string, unknown>, text: string) => AgentEvent[],
): AgentEvent[] {
  if (line.kind === "too_long")
    return [{ type: "parse_warning", message: "a line was too long to read", bytes: line.bytes }];
  if (line.text.trim() === "") return [];
  const value = parse(line.text);
  if (value === null)
    return [
      {
        type: "parse_warning",
        message: `a line is no JSON object: ${line.text}`,
        bytes: Buffer.byteLength(line.text),
      },
    ];
  return read(value, line.text);
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
