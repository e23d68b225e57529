import { realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { AgentConversation, AgentSession } from "../agentAdapter.ts";
import { failureOfText } from "../failureText.ts";
import { parseJsonLine } from "../jsonLines.ts";
import type { AcpAgent } from "./acpConfig.ts";
import { failureOfError } from "./acpFailures.ts";
import { promptAnswerSchema } from "./acpWire.ts";
import { createRpcPeer, type RpcAnswer, type RpcPeer } from "./jsonRpc.ts";
import { type Asked, type OpenedSession, openSession } from "./openSession.ts";
import { endOfTurn, failedTurn } from "./turnEnd.ts";
import { createTurnReader, type TurnReader } from "./turnReader.ts";

/** One prompt to one agent over the Agent Client Protocol. */
export function converseByAcp(config: AcpAgent, session: AgentSession): AgentConversation {
  const turn = createTurnReader(config, realPath(session.workspace));
  const state: State = { historyAtMs: null, hasResult: false };
  const peer = createRpcPeer(session.write, {
    notified: (method, params, text) => {
      if (state.historyAtMs !== null) {
        state.historyAtMs = performance.now();
        return [];
      }
      if (method === "session/update") return turn.update(params, text);
      return [{ type: "raw", sourceType: `acp/${method}`, text }];
    },
    asked: (method, params) =>
      method === "session/request_permission" ? turn.permission(params) : null,
  });
  const emitAll = async (events: AgentEvent[]) => {
    for (const event of events) {
      state.hasResult ||= event.type === "result";
      await session.emit(event);
    }
  };
  return {
    line: (line) => parseJsonLine(line, peer.receive),
    errorLine: () => [],
    outputEnded: peer.close,
    lead: () => lead({ config, session, turn, peer, state, emitAll }),
    end: ({ exit, errorOutput }) =>
      state.hasResult || exit?.exitCode === 0 || errorOutput.trim() === ""
        ? []
        : [{ type: "error", ...failureOfText(errorOutput.trim()), fatal: true }],
  };
}

type State = {
  /** When the last of an earlier run was told; null when what comes is of this run. */
  historyAtMs: number | null;
  hasResult: boolean;
};

type Lead = {
  config: AcpAgent;
  session: AgentSession;
  turn: TurnReader;
  peer: RpcPeer;
  state: State;
  emitAll(events: AgentEvent[]): Promise<void>;
};

async function lead(all: Lead): Promise<void> {
  const { config, session, turn, emitAll } = all;
  const opened = await open(all);
  if (opened.kind === "over") return;
  if (opened.kind === "failed") return emitAll(failedTurn(opened.failure, opened.reason));
  await emitAll(opened.events);
  const answer = await prompt(all, opened.sessionId);
  if (answer.kind === "closed") return emitAll(turn.close());
  const ended = promptAnswerSchema.safeParse(answer.kind === "result" ? answer.result : null);
  const facts = turn.facts();
  if (ended.success)
    return emitAll([...turn.close(), ...endOfTurn(config, ended.data, facts, opened.isResumed)]);
  const failure =
    answer.kind === "error"
      ? failureOfError(config, answer)
      : failureOfText("The agent ended its turn without a reason.");
  const kind = session.stopping.aborted ? { kind: "cancelled" as const } : {};
  return emitAll([...turn.close(), ...failedTurn({ ...failure, ...kind }, "error")]);
}

/** All steps up to the prompt share one time limit, and end at once when the run does. */
async function open({ config, session, peer, state }: Lead): Promise<OpenedSession> {
  const { request, workspace, stopping } = session;
  const late = AbortSignal.timeout(config.timeouts.startMs);
  const ask = async (method: string, params: object): Promise<Asked> => {
    if (stopping.aborted) return { kind: "closed" };
    return Promise.race([
      peer.request(method, params),
      aborted(stopping).then(() => ({ kind: "closed" as const })),
      aborted(late).then(() => ({ kind: "late" as const })),
    ]);
  };
  return openSession({
    config,
    request,
    workspace,
    ask,
    historyBegins: () => {
      state.historyAtMs = performance.now();
    },
    historyTold: async () => {
      while (quietForMs(state) < historyQuietMs && !stopping.aborted) await sleep(historyPauseMs);
      state.historyAtMs = null;
    },
  });
}

/** Some agents tell the history before they answer `session/load`, some begin with it right after. */
const historyQuietMs = 300;
const historyPauseMs = 50;

const quietForMs = ({ historyAtMs }: State): number => performance.now() - (historyAtMs ?? 0);

/** When the run is to end, the agent is asked to; then its answer is waited for like any other. */
async function prompt({ session, peer, turn }: Lead, sessionId: string): Promise<RpcAnswer> {
  const { request, stopping } = session;
  if (stopping.aborted) return { kind: "closed" };
  const cancel = () => {
    turn.cancel();
    peer.notify("session/cancel", { sessionId });
  };
  const answer = peer.request("session/prompt", {
    sessionId,
    prompt: [{ type: "text", text: request.prompt }],
  });
  stopping.addEventListener("abort", cancel, { once: true });
  return answer.finally(() => stopping.removeEventListener("abort", cancel));
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
