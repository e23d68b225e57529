import type { AgentErrorKind, AgentEvent } from "../../../shared/contracts/agentEvent.ts";
import type { CopilotError, CopilotFailure } from "./copilotWire.ts";
import { kindOfStatus, kindOfText } from "./errorKinds.ts";

type ErrorEvent = Extract<AgentEvent, { type: "error" }>;

/** Its own kinds that say more than the status does. */
const kindsOfType: Readonly<Record<string, AgentErrorKind>> = {
  authorization: "forbidden",
  policy: "forbidden",
  quota: "quota",
  context_limit: "invalid_request",
};

const kindsWithoutStatus: Readonly<Record<string, AgentErrorKind>> = {
  authentication: "auth",
  rate_limit: "rate_limit",
};

export function copilotError({ errorType, message, statusCode }: CopilotError): ErrorEvent {
  const type = errorType ?? "";
  const kind =
    kindsOfType[type] ??
    (statusCode == null
      ? (kindsWithoutStatus[type] ?? kindOfText(message))
      : kindOfStatus(statusCode, message));
  return { type: "error", kind, status: statusCode ?? null, message, fatal: true };
}

/** A call of the model that failed, told as the error it would be if no further try came. */
export function copilotFailure({ statusCode, errorMessage }: CopilotFailure): ErrorEvent {
  const message = textOf(errorMessage ?? "the call of the model failed");
  const kind =
    statusCode == null ? kindOfText(message) : kindOfStatus(statusCode, errorMessage ?? "");
  return { type: "error", kind, status: statusCode ?? null, message, fatal: true };
}

export function copilotRetry(failure: CopilotFailure | null): AgentEvent {
  const { kind, status } = copilotFailure(failure ?? {});
  const attempt = (failure?.retryAttempt ?? 0) + 1;
  return { type: "retry", attempt, max: null, delayMs: null, status, kind };
}

/** What it says on stderr when it could not begin. */
export function copilotLastWords(errorOutput: string): ErrorEvent {
  const message = errorOutput.trim();
  return { type: "error", kind: kindOfLastWords(message), status: null, message, fatal: true };
}

function kindOfLastWords(message: string): AgentErrorKind {
  if (/authentication|access token/i.test(message)) return "auth";
  if (/matched '|explicit model/.test(message)) return "invalid_request";
  return kindOfText(message);
}

/** The answer of the service stands there as JSON. */
function textOf(message: string): string {
  try {
    const { message: text } = JSON.parse(message) as { message?: unknown };
    return typeof text === "string" ? text : message;
  } catch {
    return message;
  }
}
