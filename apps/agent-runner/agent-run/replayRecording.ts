import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { AgentAdapter, AgentRequest } from "../agents/agentAdapter.ts";
import { createLineSplitter } from "../agents/jsonLines.ts";
import type { CommandExit } from "../processes/guardMessages.ts";
import { noFacts, type RunFacts, withEvent } from "./runFacts.ts";

/** What a CLI once said and how it ended. */
export type Recording = {
  stdout: Buffer;
  stderr: string;
  exit: CommandExit;
  /** As far as a parser wants to know it. HOME need not be there. */
  request: Pick<AgentRequest, "session" | "home" | "model">;
  recordedAtMs: number;
};

/** Replays a recording through an agent's parser, its output cut into chunks at these places. */
export async function replayRecording(
  adapter: AgentAdapter,
  recording: Recording,
  cuts: readonly number[] = [],
): Promise<{ events: AgentEvent[]; facts: RunFacts }> {
  const { stdout, stderr, exit, request, recordedAtMs } = recording;
  const parser = await adapter.createParser({ prompt: "", ...request }, () => recordedAtMs);
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
  return { events, facts: events.reduce(withEvent, noFacts) };
}
