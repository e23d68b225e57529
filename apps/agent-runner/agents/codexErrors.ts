import type { AgentErrorKind, AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import { kindOfStatus, kindOfText } from "./errorKinds.ts";

type CodexError = { kind: AgentErrorKind; status: number | null; message: string };

/** The events have no field for the HTTP status or the kind of an error: both stand in the text, if anywhere. */
export function codexError(text: string): CodexError {
  const { message, type } = unwrapped(text);
  const told = /(?:unexpected|last) status:? (\d{3})\b/.exec(text)?.[1];
  const status = told === undefined ? null : Number(told);
  if (status !== null) return { kind: kindOfStatus(status, text), status, message };
  if (type === "invalid_request_error") return { kind: "invalid_request", status, message };
  const kind = kindsOfText.find(([pattern]) => pattern.test(text))?.[1] ?? kindOfText(text);
  return { kind, status, message };
}

/** The same, where the log has told which status it was. */
export const codexErrorOf = (status: number, text: string): CodexError => ({
  kind: kindOfStatus(status, text),
  status,
  message: unwrapped(text).message,
});

/** What a line of its log says that the model service has answered; null when it is about something else. */
export function codexAnswerStatus(line: string): number | null {
  if (!/ event\.name="codex\.api_request" .* endpoint="\/responses"/.test(line)) return null;
  const status = / http\.response\.status_code=(\d{3})\b/.exec(line)?.[1];
  return status === undefined ? null : Number(status);
}

const kindsOfText: readonly [RegExp, AgentErrorKind][] = [
  [/^Missing environment variable/, "auth"],
  [/high demand|at capacity/i, "overloaded"],
  [/idle timeout/, "timeout"],
  [/stream disconnected|waiting for network|failed to lookup address/, "network"],
  [/no rollout found|context window/, "invalid_request"],
  [/may not use|does not have access/, "forbidden"],
];

/** A refused request comes as the body of the answer. */
function unwrapped(text: string): { message: string; type: string | null } {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; type?: unknown } };
    const message = typeof error?.message === "string" ? error.message : text;
    return { message, type: typeof error?.type === "string" ? error.type : null };
  } catch {
    return { message: text, type: null };
  }
}

/** A note that it tries again, null when the text is none. */
export function codexRetry(text: string): AgentEvent | null {
  const known = /^Reconnecting\.\.\. (?:(\d+)\/(\d+)|waiting for network) \((.*)\)$/s.exec(text);
  if (known === null) return null;
  const [, attempt, max, why = ""] = known;
  const { kind, status } = codexError(why);
  return {
    type: "retry",
    attempt: Number(attempt ?? 0),
    max: max === undefined ? null : Number(max),
    delayMs: null,
    status,
    kind: attempt === undefined ? "network" : kind,
  };
}
