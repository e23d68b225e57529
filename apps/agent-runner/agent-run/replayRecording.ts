import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { AgentRequest, LineAdapter } from "../agents/agentAdapter.ts";
import { createLineSplitter } from "../agents/jsonLines.ts";
import { withResetTimes } from "../agents/resetTimes.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import { noFacts, type RunFacts, withEvent } from "./runFacts.ts";

/** What a CLI once said and how it ended. */
export type Recording = {
  stdout: Buffer;
  stderr: string;
  exit: CommandExit;
  /** As far as a parser wants to know it. HOME need not be there; a parser gets a copy of it. */
  request: Pick<AgentRequest, "session" | "home" | "model">;
  recordedAtMs: number;
};

/** Replays a recording through an agent's parser, its output cut into chunks at these places. */
export async function replayRecording(
  adapter: LineAdapter,
  recording: Recording,
  cuts: readonly number[] = [],
): Promise<{ events: AgentEvent[]; facts: RunFacts }> {
  const home = await mkdtemp(join(tmpdir(), "switchyard-replay-"));
  try {
    await cp(recording.request.home, home, { recursive: true }).catch(() => {});
    const events = await parse(adapter, recording, home, cuts);
    return { events, facts: events.reduce(withEvent, noFacts) };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function parse(
  adapter: LineAdapter,
  { stdout, stderr, exit, request, recordedAtMs }: Recording,
  home: string,
  cuts: readonly number[],
): Promise<AgentEvent[]> {
  const asked = { prompt: "", password: "", secrets: {}, ...request, home };
  const parser = withResetTimes(await adapter.createParser(asked), () => recordedAtMs);
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
  events.push(...(await parser.end({ exit, errorOutput: stderr })));
  return events;
}
