import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { Failure } from "../failureText.ts";
import type { AcpAgent } from "./acpConfig.ts";
import { tellIn } from "./acpFailures.ts";
import {
  anyUpdateSchema,
  permissionSchema,
  type Update,
  updateParamsSchema,
  updateSchema,
} from "./acpWire.ts";
import { answerPermission } from "./permissions.ts";
import { createToolBook } from "./toolBook.ts";

/** What was seen of a turn beside its events, for judging how it ended. */
export type TurnFacts = {
  /** What it said after its last tool call. */
  answer: string;
  /** The last piece of it: an agent may join its own notices without a line between them. */
  lastPiece: string;
  hasSpoken: boolean;
  toolCalls: number;
  tell: Failure | null;
  costUsd: number | null;
};

const maxTextLength = 1024 * 1024;

/** Reads the updates of one session, from its start on. */
export function createTurnReader(config: AcpAgent, workspace: string) {
  const tools = createToolBook();
  let facts: TurnFacts = {
    answer: "",
    lastPiece: "",
    hasSpoken: false,
    toolCalls: 0,
    tell: null,
    costUsd: null,
  };
  let thought = "";
  let isCancelled = false;

  const flushThought = (): AgentEvent[] => {
    const text = thought;
    thought = "";
    return text === "" ? [] : [{ type: "thinking", text }];
  };

  return {
    update: (params: unknown, text: string): AgentEvent[] => {
      const raw = updateParamsSchema.safeParse(params);
      const known = updateSchema.safeParse(raw.data?.update);
      const any = anyUpdateSchema.safeParse(raw.data?.update);
      facts = { ...facts, tell: tellIn(config, any.data?._meta) ?? facts.tell };
      if (known.success) return read(known.data, text);
      const sourceType = `acp/${any.data?.sessionUpdate ?? "session/update"}`;
      return [{ type: "raw", sourceType, text }];
    },
    /** Answers a request for permission; the events are what it tells of the tool. */
    permission: (params: unknown): { result: unknown; events: AgentEvent[] } => {
      const asked = permissionSchema.safeParse(params);
      const cancelled = { outcome: { outcome: "cancelled" } };
      if (!asked.success) return { result: cancelled, events: [] };
      const answer = isCancelled
        ? ({ kind: "cancelled" } as const)
        : answerPermission(config.permission, workspace, asked.data);
      const isDenied = answer.kind === "cancelled" ? !isCancelled : !answer.isAllowed;
      const events = [...flushThought(), ...tools.asked(asked.data.toolCall, isDenied)];
      if (answer.kind === "cancelled") return { result: cancelled, events };
      const { optionId } = answer;
      return { result: { outcome: { outcome: "selected", optionId } }, events };
    },
    /** From here on every permission is answered with `cancelled`. */
    cancel: () => {
      isCancelled = true;
    },
    close: (): AgentEvent[] => [...flushThought(), ...tools.close()],
    facts: (): TurnFacts => ({ ...facts, toolCalls: tools.count() }),
  };

  function read(update: Update, text: string): AgentEvent[] {
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return message(update.content.text, text);
      case "agent_thought_chunk":
        thought = (thought + (update.content.text ?? "")).slice(0, maxTextLength);
        return [];
      case "user_message_chunk":
        return [{ type: "message", role: "user", text: update.content.text ?? "" }];
      case "tool_call":
      case "tool_call_update":
        facts = { ...facts, answer: "", lastPiece: "" };
        return [...flushThought(), ...tools.note(update, text)];
      case "usage_update":
        if (update.cost?.currency === "USD") facts = { ...facts, costUsd: update.cost.amount };
        return [];
    }
  }

  function message(said: string | null | undefined, text: string): AgentEvent[] {
    if (said == null) return [{ type: "raw", sourceType: "acp/agent_message_chunk", text }];
    const answer = (facts.answer + said).slice(0, maxTextLength);
    facts = { ...facts, answer, lastPiece: said, hasSpoken: true };
    return [...flushThought(), { type: "message", role: "assistant", text: said, delta: true }];
  }
}

export type TurnReader = ReturnType<typeof createTurnReader>;
