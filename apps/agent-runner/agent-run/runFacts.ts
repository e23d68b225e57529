import type { AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../../shared/contracts/runner.ts";

/** The part of a report that its events tell; so a run that was interrupted can still be reported on. */
export type RunFacts = Pick<
  RunReport,
  | "terminal"
  | "exit"
  | "toolCalls"
  | "deniedToolCalls"
  | "error"
  | "sessionId"
  | "usage"
  | "model"
  | "baseCommit"
> & { agentVersion: string | null };

export const noFacts: RunFacts = {
  terminal: null,
  exit: null,
  toolCalls: 0,
  deniedToolCalls: 0,
  error: null,
  sessionId: null,
  usage: null,
  model: null,
  baseCommit: null,
  agentVersion: null,
};

export function withEvent(facts: RunFacts, event: AgentEvent): RunFacts {
  switch (event.type) {
    case "workspace_ready":
      return { ...facts, baseCommit: event.baseCommit };
    case "agent_started":
      return { ...facts, agentVersion: event.version };
    case "init":
      return {
        ...facts,
        sessionId: event.sessionId ?? facts.sessionId,
        model: event.model ?? facts.model ?? null,
      };
    case "tool_use":
      return { ...facts, toolCalls: facts.toolCalls + 1 };
    case "tool_result":
      return { ...facts, deniedToolCalls: facts.deniedToolCalls + Number(event.denied ?? false) };
    case "usage":
      return event.scope === "run" ? { ...facts, usage: event.usage } : facts;
    case "error":
      return event.fatal ? { ...facts, error: errorOf(event) } : facts;
    case "result":
      return { ...facts, terminal: { ok: event.ok, reason: event.reason, text: event.text } };
    case "agent_exited":
      return { ...facts, exit: exitOf(event) };
    default:
      return facts;
  }
}

const exitOf = ({ exitCode, signal, dismissed }: Extract<AgentEvent, { type: "agent_exited" }>) =>
  dismissed === undefined ? { exitCode, signal } : { exitCode, signal, dismissed };

const errorOf = ({
  kind,
  status,
  message,
  resetAtMs,
}: Extract<AgentEvent, { type: "error" }>): RunFacts["error"] => ({
  kind,
  status,
  message,
  ...(resetAtMs == null ? {} : { resetAtMs }),
});
