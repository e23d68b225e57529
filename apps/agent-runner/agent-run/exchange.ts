import type { AgentParser } from "../agents/agentAdapter.ts";
import type { Recorder } from "../runs/recorder.ts";

/** How a run's agent is heard and ended: the one thing in which the kinds of adapter differ. */
export type Exchange = {
  parser: AgentParser;
  /** The way of the agent's own events into the record. */
  record: Recorder["record"];
  /** Called once the agent runs; settles when nothing will be said to it any more. */
  begin(): Promise<void>;
  /** Ends the agent step by step, from what it answers to best to what nothing survives. */
  stop(): void;
  outputEnded(): void;
  /** Whether the runner ended the agent after its last word. */
  dismissed(): boolean;
};
