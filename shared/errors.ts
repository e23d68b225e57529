/**
 * The one table of errors. `http` is the status of the HTTP face; `retry` says whether the same call can
 * succeed when it is made again unchanged: "never", or "later". Nothing else decides about retries.
 */
export const errorTable = {
  // A caller's mistake.
  malformed_json: { http: 400, retry: "never" },
  invalid_request: { http: 422, retry: "never" },
  prompt_required: { http: 422, retry: "never" },
  invalid_timeout: { http: 422, retry: "never" },
  unsupported_media_type: { http: 415, retry: "never" },
  body_too_large: { http: 413, retry: "never" },
  route_not_found: { http: 404, retry: "never" },
  method_not_allowed: { http: 405, retry: "never" },
  unauthenticated: { http: 401, retry: "never" },
  forbidden: { http: 403, retry: "never" },
  source_not_allowed: { http: 422, retry: "never" },
  endpoint_not_allowed: { http: 422, retry: "never" },
  callback_not_allowed: { http: 422, retry: "never" },
  unknown_provider: { http: 422, retry: "never" },
  factory_not_registered: { http: 422, retry: "never" },
  // A thing that is not there, or not in the state that the call needs.
  task_not_found: { http: 404, retry: "never" },
  project_not_found: { http: 404, retry: "never" },
  patch_not_found: { http: 404, retry: "never" },
  provider_not_found: { http: 404, retry: "never" },
  dead_letter_not_found: { http: 404, retry: "never" },
  nothing_to_replay: { http: 409, retry: "never" },
  run_not_found: { http: 404, retry: "never" },
  session_not_found: { http: 404, retry: "never" },
  /** Validation ran no such command. */
  command_not_found: { http: 404, retry: "never" },
  /** A command printed more than its tail holds, and the rest is not there. */
  output_not_kept: { http: 404, retry: "never" },
  project_exists: { http: 409, retry: "never" },
  idempotency_conflict: { http: 409, retry: "never" },
  too_late: { http: 409, retry: "never" },
  /** It does not wait for an approval, or is not any more what the approver names. */
  not_awaiting_approval: { http: 409, retry: "never" },
  approval_mismatch: { http: 409, retry: "never" },
  /** Only what is in the code can be taken back. */
  patch_not_delivered: { http: 409, retry: "never" },
  /** The set does not apply to its own base, so there is nothing to show of what it makes. */
  patch_not_applicable: { http: 409, retry: "never" },
  already_final: { http: 409, retry: "never" },
  stale_fence: { http: 409, retry: "never" },
  branch_checked_out: { http: 409, retry: "never" },
  /** Git keeps no branch `a` beside a branch `a/b`. */
  branch_in_the_way: { http: 409, retry: "never" },
  // No provider can take the task.
  provider_unavailable: { http: 409, retry: "later" },
  no_provider: { http: 409, retry: "later" },
  no_credentials: { http: 409, retry: "never" },
  // The runner.
  busy: { http: 409, retry: "later" },
  protocol_unsupported: { http: 400, retry: "never" },
  agent_not_installed: { http: 409, retry: "never" },
  source_unreadable: { http: 422, retry: "never" },
  secret_in_patch: { http: 422, retry: "never" },
  patch_too_large: { http: 422, retry: "never" },
  /** More than one answer may hold. */
  files_too_large: { http: 422, retry: "never" },
  /** The agent left something that no patch set can hold, such as a changed submodule. */
  unpatchable: { http: 422, retry: "never" },
  runner_unreachable: { http: 503, retry: "later" },
  runner_protocol_error: { http: 502, retry: "later" },
  // A broken world.
  store_unavailable: { http: 503, retry: "later" },
  internal: { http: 500, retry: "later" },
} as const satisfies Record<string, { http: number; retry: "never" | "later" }>;

export type ErrorCode = keyof typeof errorTable;
export const errorCodes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);

/**
 * The only error that ports and use cases throw. `message` is safe to show and says what to do next;
 * `context` goes to the log alone.
 */
export class SwitchyardError extends Error {
  readonly code: ErrorCode;
  readonly context: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { context?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "SwitchyardError";
    this.code = code;
    this.context = options.context ?? {};
  }

  get retryable(): boolean {
    return errorTable[this.code].retry === "later";
  }
}
