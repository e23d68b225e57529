import type { AgentCommand, AgentRequest, SessionAdapter } from "../agents/agentAdapter.ts";
import { type GuardedProcess, within } from "../processes/guardedProcess.ts";
import { endByLadder, partingLadder } from "../processes/stopLadder.ts";
import type { Recorder } from "../runs/recorder.ts";
import type { Exchange } from "./exchange.ts";

export type Talk = {
  agentRequest: AgentRequest;
  command: AgentCommand;
  workspace: string;
  heard: () => void;
};

/** How long an agent has for ending its turn when it is asked to. */
const askedToStopMs = 5000;
const settleMs = 2000;

/**
 * For an agent that is talked with. However cancel, exit and end of the output follow on each other, at most one
 * `result` is recorded and nothing of the agent's after it; who has nothing more to say to it ends it.
 */
export function talkWith(
  child: GuardedProcess,
  adapter: SessionAdapter,
  talk: Talk,
  recorder: Recorder,
): Exchange {
  const stopping = new AbortController();
  const led = Promise.withResolvers<void>();
  const ladder = partingLadder(talk.command.stdin === null, adapter.firstSignal);
  let isOver = false;
  let isDismissed = false;
  const record: Recorder["record"] = async (event) => {
    if (isOver) return;
    isOver = event.type === "result";
    await recorder.record(event);
  };
  const conversation = adapter.converse({
    request: talk.agentRequest,
    env: talk.command.env,
    workspace: talk.workspace,
    write: child.write,
    emit: record,
    heard: talk.heard,
    stopping: stopping.signal,
  });

  const lead = async () => {
    const message = await conversation.lead().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (message !== null)
      await record({ type: "error", kind: "unknown", status: null, message, fatal: true });
    isDismissed = isOver && !stopping.signal.aborted;
    led.resolve();
    await endByLadder(child, ladder);
  };
  return {
    parser: conversation,
    record,
    begin: () => untilGone(lead(), child.closed),
    stop: () => void stop(),
    outputEnded: conversation.outputEnded,
    dismissed: () => isDismissed,
  };

  async function stop(): Promise<void> {
    stopping.abort();
    await within(Promise.race([led.promise, child.exit]), askedToStopMs);
    await endByLadder(child, ladder);
  }
}

/** A conversation that does not notice that its agent is gone is left to itself. */
async function untilGone(leading: Promise<void>, closed: Promise<void>): Promise<void> {
  await Promise.race([leading, closed.then(() => within(leading, settleMs))]);
}
