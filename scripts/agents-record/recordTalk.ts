import { talkWith } from "../../apps/agent-runner/agent-run/talkWith.ts";
import type {
  AgentCommand,
  AgentRequest,
  SessionAdapter,
} from "../../apps/agent-runner/agents/agentAdapter.ts";
import { createLineSplitter } from "../../apps/agent-runner/agents/jsonLines.ts";
import { chunksOf, type GuardedProcess } from "../../apps/agent-runner/processes/guardedProcess.ts";

/** Overhears a conversation, and keeps what the agent says as JSON lines with a `type` each. */
export type Tap = {
  /** What is sent to the agent's stdin. */
  sent(text: string): void;
  /** A line of its stdout; answers what is to be heard in its place. */
  heard(text: string): Promise<string>;
  lines(): readonly string[];
  close(): Promise<void>;
};

export type RecordedTalk = {
  adapter: SessionAdapter;
  command: AgentCommand;
  request: AgentRequest;
  workspace: string;
};

const maxLineBytes = 4 * 1024 * 1024;

/**
 * Talks with an agent as the runner would, from its start until it is sent away, and answers what was overheard.
 * `stopped` aborts when it takes too long.
 */
export async function recordTalk(
  child: GuardedProcess,
  { adapter, command, request, workspace }: RecordedTalk,
  tap: Tap,
  stopped: AbortSignal,
): Promise<string> {
  const overheard: SessionAdapter = {
    ...adapter,
    converse: (session) =>
      adapter.converse({
        ...session,
        write: (text) => {
          tap.sent(text);
          session.write(text);
        },
      }),
  };
  const talk = { agentRequest: request, command, workspace, heard: () => {} };
  const exchange = talkWith(child, overheard, talk, { record: async () => {} });
  stopped.addEventListener("abort", exchange.stop);
  const listen = async () => {
    const splitter = createLineSplitter(maxLineBytes);
    for await (const chunk of chunksOf(child.stdout))
      for (const line of splitter.push(chunk))
        exchange.parser.line(
          line.kind === "line" ? { kind: "line", text: await tap.heard(line.text) } : line,
        );
  };
  try {
    await Promise.all([listen().finally(exchange.outputEnded), exchange.begin()]);
    return `${tap.lines().join("\n")}\n`;
  } finally {
    await tap.close();
  }
}
