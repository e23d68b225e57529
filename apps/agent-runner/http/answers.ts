import type { ServerResponse } from "node:http";
import { errorTable, SwitchyardError } from "../../../shared/errors.ts";
import { ok } from "../../../shared/result.ts";
import type { Log } from "../log.ts";

export function answerValue(response: ServerResponse, value: unknown): void {
  answerJson(response, 200, ok(value));
}

/** The one place where an error becomes an answer. What nobody expected is told to the log alone. */
export function answerError(response: ServerResponse, error: unknown, log: Log): void {
  const known = error instanceof SwitchyardError ? error : unexpected(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  answerJson(response, errorTable[known.code].http, {
    ok: false,
    error: { code: known.code, message: known.message },
  });
}

function unexpected(error: unknown, log: Log): SwitchyardError {
  log({ at: "request_broke", error: error instanceof Error ? error.name : typeof error });
  return new SwitchyardError("internal", "The runner failed; its log says more.", {
    cause: error,
  });
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
