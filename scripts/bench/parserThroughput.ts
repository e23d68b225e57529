import { readdirSync } from "node:fs";
import path from "node:path";
import type { AgentRequest } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { createLineSplitter, type SplitLine } from "../../apps/agent-runner/agents/jsonLines.ts";
import { agentRegistry, lineAgentNames } from "../../apps/agent-runner/agents/registry.ts";
import { projectRoot } from "../local/wrangler.ts";
import { readRecording } from "../transcripts/readRecording.ts";

/** GB (10^9 bytes) a second, medians of the same bytes in turns: newlines found, JSON.parse, neutral events made. */
export type Throughput = {
  agent: string;
  megabytes: number;
  newlines: number;
  jsonParse: number;
  events: number;
};

const wantedBytes = 32 * 1024 * 1024;
const rounds = 5;
const chunkBytes = 64 * 1024;

export async function measureParsers(): Promise<Throughput[]> {
  const measured: Throughput[] = [];
  for (const agent of lineAgentNames) measured.push(await measureParser(agent));
  return measured;
}

async function measureParser(agent: (typeof lineAgentNames)[number]): Promise<Throughput> {
  const bytes = recordedBytes(agent);
  const measured: Record<"newlines" | "jsonParse" | "events", number[]> = {
    newlines: [],
    jsonParse: [],
    events: [],
  };
  for (let round = 0; round < rounds; round += 1) {
    const parser = await agentRegistry[agent].createParser(request);
    measured.newlines.push(speedOf(bytes, () => countNewlines(bytes)));
    measured.jsonParse.push(speedOf(bytes, () => eachLine(bytes, ({ text }) => tryParse(text))));
    measured.events.push(speedOf(bytes, () => eachLine(bytes, ({ line }) => parser.line(line))));
  }
  return {
    agent,
    megabytes: bytes.length / 1e6,
    newlines: median(measured.newlines),
    jsonParse: median(measured.jsonParse),
    events: median(measured.events),
  };
}

const request: AgentRequest = {
  prompt: "",
  session: { kind: "new", id: "bench" },
  home: path.join(projectRoot, "no-home"),
  password: "",
  secrets: {},
};

function speedOf(bytes: Buffer, work: () => void): number {
  const startedAtMs = performance.now();
  work();
  return bytes.length / 1e9 / ((performance.now() - startedAtMs) / 1000);
}

function countNewlines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}

function eachLine(bytes: Buffer, use: (each: { line: SplitLine; text: string }) => void): void {
  for (const line of linesOf(bytes)) use({ line, text: line.kind === "line" ? line.text : "" });
}

/** All that the recordings of an agent hold, over and over. */
function recordedBytes(agent: string): Buffer {
  const folder = path.join(projectRoot, "test/fixtures/transcripts", agent);
  const once = Buffer.concat(
    readdirSync(folder).map((name) => readRecording(path.join(folder, name)).stdout),
  );
  const times = Math.ceil(wantedBytes / once.length);
  return Buffer.concat(Array.from({ length: times }, () => once));
}

function* linesOf(bytes: Buffer) {
  const splitter = createLineSplitter(1024 * 1024);
  for (let at = 0; at < bytes.length; at += chunkBytes)
    yield* splitter.push(bytes.subarray(at, at + chunkBytes));
  yield* splitter.end();
}

function tryParse(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    // Some recordings hold a line that is none.
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
