import type { AgentErrorKind } from "../../../shared/contracts/agentEvent.ts";

const kindsOfStatus: Record<number, AgentErrorKind> = {
  400: "invalid_request",
  401: "auth",
  402: "quota",
  403: "forbidden",
  404: "invalid_request",
  408: "timeout",
  413: "invalid_request",
  422: "invalid_request",
  429: "rate_limit",
  504: "timeout",
};

/** Services give one status to a short pause and to a spent allowance; only the text tells which. */
const spent = /quota|billing|credit balance|usage limit|insufficient_quota|spend(ing)? limit/i;

/** What an answer of a model service means, by its HTTP status and its text. */
export function kindOfStatus(status: number, text: string): AgentErrorKind {
  if ((status === 429 || status === 400 || status === 403) && spent.test(text)) return "quota";
  return kindsOfStatus[status] ?? (status >= 500 ? "overloaded" : "unknown");
}

const network =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|socket hang up|connection_failed|connection error|fetch failed|terminated/i;

/** The same where there is a text alone. */
export function kindOfText(text: string): AgentErrorKind {
  if (spent.test(text)) return "quota";
  if (/rate limit/i.test(text)) return "rate_limit";
  if (network.test(text)) return "network";
  if (/timed? ?out|ETIMEDOUT/i.test(text)) return "timeout";
  return "unknown";
}
