import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { noFacts, withEvent } from "../../../apps/agent-runner/agent-run/runFacts.ts";
import type { AgentAdapter } from "../../../apps/agent-runner/agents/agentAdapter.ts";
import { createLineSplitter } from "../../../apps/agent-runner/agents/jsonLines.ts";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import { projectFolder } from "./runners.ts";

export const transcriptsFolder = join(projectFolder, "test/fixtures/transcripts");

/** What a CLI once said and how it ended. */
export type Transcript = {
  name: string;
  folder: string;
  stdout: Buffer;
  stderr: string;
  exitCode: number;
};

export function transcriptsOf(agent: string): Transcript[] {
  const folder = join(transcriptsFolder, agent);
  return readdirSync(folder).map((name) => readTranscript(name, join(folder, name)));
}

function readTranscript(name: string, folder: string): Transcript {
  const packed = join(folder, "stdout.gz");
  const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as { exitCode: number };
  const stderr = join(folder, "stderr");
  return {
    name,
    folder,
    stdout: existsSync(packed)
      ? gunzipSync(readFileSync(packed))
      : readFileSync(join(folder, "stdout")),
    stderr: existsSync(stderr) ? readFileSync(stderr, "utf8") : "",
    exitCode: meta.exitCode,
  };
}

/** Replays a transcript through an agent's parser, its output cut into chunks at these places. */
export function replay(
  adapter: AgentAdapter,
  transcript: Transcript,
  cuts: readonly number[] = [],
) {
  const { stdout, stderr, exitCode } = transcript;
  const parser = adapter.createParser();
  const splitter = createLineSplitter(1024 * 1024);
  const events: AgentEvent[] = [];
  const ends = [...cuts.map((cut) => cut % (stdout.length + 1)), stdout.length];
  let start = 0;
  for (const end of ends.sort((one, other) => one - other)) {
    events.push(...splitter.push(stdout.subarray(start, end)).flatMap(parser.line));
    start = end;
  }
  events.push(...splitter.end().flatMap(parser.line));
  events.push(...stderr.split("\n").flatMap((line) => parser.errorLine(line)));
  const exit = { exitCode, signal: null };
  events.push(...parser.end({ exit, errorOutput: stderr }));
  return { events, facts: events.reduce(withEvent, noFacts) };
}

/** Events as a reviewer can read them: long texts are cut. */
export function outline(value: unknown): unknown {
  if (typeof value === "string")
    return value.length > 160 ? `${value.slice(0, 120)}… (${value.length} characters)` : value;
  if (Array.isArray(value))
    return value.length > 8 ? `${value.length} entries` : value.map(outline);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, outline(item)]));
}
