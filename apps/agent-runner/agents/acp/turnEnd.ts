import type {
  AgentErrorKind,
  AgentEvent,
  TokenUsage,
} from "../../../../shared/contracts/agentEvent.ts";
import { type Failure, failureOfText } from "../failureText.ts";
import type { AcpAgent } from "./acpConfig.ts";
import { fieldAt, tellIn } from "./acpFailures.ts";
import { type AcpUsage, type PromptAnswer, usageSchema } from "./acpWire.ts";
import type { TurnFacts } from "./turnReader.ts";

const kindsOfStop: Record<string, AgentErrorKind> = {
  max_tokens: "turn_limit",
  max_turn_requests: "turn_limit",
  refusal: "invalid_request",
  cancelled: "cancelled",
};

/**
 * What a turn came to by its answer. The protocol has no word for a turn that failed, so agents end one with
 * `end_turn` too: it counts as success only where nothing tells otherwise.
 */
export function endOfTurn(
  config: AcpAgent,
  answer: PromptAnswer,
  facts: TurnFacts,
  isResumed: boolean,
): AgentEvent[] {
  const told = { usage: usageOf(answer), isNull: answer.usage === null };
  const usage = usageEvents(config, told.usage, facts.costUsd, isResumed);
  const failure = failureOf(config, answer, facts, told);
  if (failure === null) return [...usage, resultEvent(true, answer.stopReason, facts.answer)];
  return [...usage, ...failedTurn(failure, answer.stopReason)];
}

/** The last events of a turn that came to nothing. */
export const failedTurn = (failure: Failure, reason: string): AgentEvent[] => [
  { type: "error", ...failure, fatal: true },
  resultEvent(false, reason, failure.message),
];

const resultEvent = (ok: boolean, reason: string, text: string): AgentEvent => ({
  type: "result",
  ok,
  reason,
  text,
  turns: null,
  durationMs: null,
});

type ToldUsage = { usage: AcpUsage | null; isNull: boolean };

function failureOf(
  config: AcpAgent,
  answer: PromptAnswer,
  facts: TurnFacts,
  told: ToldUsage,
): Failure | null {
  const last = facts.answer.trim();
  if (answer.stopReason !== "end_turn") {
    const kind = kindsOfStop[answer.stopReason] ?? "unknown";
    return { kind, status: null, message: last || `The turn ended with ${answer.stopReason}.` };
  }
  const tell = tellIn(config, answer._meta) ?? facts.tell;
  if (tell !== null) return tell.kind === "unknown" && last !== "" ? failureOfText(last) : tell;
  const patterns = ["^Error:", ...config.failure.textPatterns].map((text) => new RegExp(text, "m"));
  const piece = [facts.lastPiece.trim(), last].find((text) =>
    patterns.some((pattern) => pattern.test(text)),
  );
  if (piece !== undefined) return failureOfText(piece);
  const because = emptyTurn(config, facts, told);
  return because === null ? null : failureOfText(last === "" ? because : last);
}

/** A model that was not reached has used nothing and said nothing. */
function emptyTurn(config: AcpAgent, facts: TurnFacts, told: ToldUsage): string | null {
  if (!facts.hasSpoken && facts.toolCalls === 0) return "The turn ended without a word.";
  const isOwed = config.usage !== undefined && config.usage.scope !== "none";
  if (told.usage === null)
    return told.isNull || isOwed ? "The turn ended without figures of its usage." : null;
  return (told.usage.outputTokens ?? 1) === 0 ? "The turn ended without an answer." : null;
}

/** Where the protocol's own field is absent, two agents have the same figures in an extension. */
function usageOf(answer: PromptAnswer): AcpUsage | null {
  if (answer.usage != null) return answer.usage;
  const count = fieldAt(answer._meta, "quota.token_count");
  if (typeof count !== "object" || count === null) return null;
  const camel = Object.entries(count).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return usageSchema.parse(Object.fromEntries(camel));
}

function usageEvents(
  { usage: meaning }: AcpAgent,
  usage: AcpUsage | null,
  costUsd: number | null,
  isResumed: boolean,
): AgentEvent[] {
  if (usage === null) return [];
  if (meaning === undefined || meaning.scope === "none")
    return [{ type: "raw", sourceType: "acp/usage", text: JSON.stringify(usage) }];
  const isOfRun =
    meaning.costScope === "process" || (meaning.costScope === "session" && !isResumed);
  const cost = isOfRun && costUsd !== null ? Math.round(costUsd * 1e6) : null;
  const counted = normalize(usage, meaning.cachedInside, cost);
  return [{ type: "usage", scope: meaning.scope === "turn" ? "run" : "step", usage: counted }];
}

function normalize(
  told: AcpUsage,
  cachedInside: boolean | undefined,
  costMicroUsd: number | null,
): TokenUsage {
  const count = countsOf(told);
  const outside = outsideOf(count, told.totalTokens ?? count.input + count.output, cachedInside);
  return {
    inputTokens: count.input + (outside.cached ? count.read + count.written : 0),
    cachedInputTokens: count.read,
    cacheWriteTokens: count.written,
    outputTokens: count.output + (outside.thought ? count.thought : 0),
    reasoningTokens: count.thought,
    costMicroUsd,
  };
}

const countsOf = (told: AcpUsage) => ({
  input: told.inputTokens ?? 0,
  output: told.outputTokens ?? 0,
  thought: told.thoughtTokens ?? 0,
  read: told.cachedReadTokens ?? 0,
  written: told.cachedWriteTokens ?? 0,
});

/** The sum that the agent gives tells which figures are parts of others: those it does not count again. */
function outsideOf(
  { input, output, thought, read, written }: ReturnType<typeof countsOf>,
  total: number,
  cachedInside: boolean | undefined,
) {
  const cached = read + written;
  const rest = total - input - output;
  const isByItself = cached > 0 && (rest === cached || rest === cached + thought);
  const isCachedOutside = cachedInside === undefined ? isByItself : !cachedInside;
  return {
    cached: isCachedOutside,
    thought: thought > 0 && rest === thought + (isCachedOutside ? cached : 0),
  };
}
