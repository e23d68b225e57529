import type { AgentErrorKind } from "../../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../../shared/contracts/runner.ts";
import { type ErrorCode, errorTable } from "../../../shared/errors.ts";
import type { ExecutionEvent } from "./states.ts";

/** Why a task or an execution ended as it did; shown to people and counted by machines. */
export const outcomeCodes = [
  "delivered",
  "no_changes",
  "already_applied",
  "incomplete",
  "denied",
  "agent_error",
  "provider_auth",
  "provider_forbidden",
  "provider_rate_limited",
  "provider_quota",
  "provider_overloaded",
  "provider_unreachable",
  "provider_refused",
  "turn_limit",
  "budget",
  "timed_out",
  "silent",
  "cancelled",
  "lost",
  "runner_fault",
  "patch_rejected",
  "protected_path",
  "conflict",
  "validation_failed",
  "engine_mismatch",
  "no_provider",
  "factory_not_registered",
  "deadline_passed",
  "dead_letter",
  "input_expired",
  "input_refused",
  "approval_refused",
] as const;
export type OutcomeCode = (typeof outcomeCodes)[number];

/** A run's report without the patch itself, which may be large. */
export type RunFacts = Omit<RunReport, "patch">;

/** What an execution came to. `retry` says whether a further attempt can end better. */
export type RunOutcome =
  | { kind: "patch"; execution: "succeed" }
  | { kind: "no_changes"; execution: "succeed" }
  /** The agent asks a person; its process is gone, its session is kept. */
  | { kind: "question"; execution: "suspend"; asks: "question" | "plan"; text: string }
  | {
      kind: "bad";
      execution: Extract<ExecutionEvent, "fail" | "time_out" | "lose" | "cancel">;
      code: OutcomeCode;
      message: string;
      retry: boolean;
      /** The provider has told when it takes work again. */
      resetAtMs?: number;
    };

/**
 * Judges a finished run. The exit code alone proves nothing (every CLI exits 0 after a run whose edits were all
 * denied), nor does the agent's last sentence: a success needs the agent's own terminal event, a clean exit, no
 * fatal error, and the diff that the runner took itself.
 */
export function judgeRun(report: RunFacts, hasPatch: boolean): RunOutcome {
  return (
    stopped(report) ??
    faulted(report) ??
    asking(report) ??
    errored(report) ??
    unfinished(report) ??
    (hasPatch ? { kind: "patch", execution: "succeed" } : withoutPatch(report))
  );
}

/** An agent's last words can be long; they are kept whole beside the outcome, not in it. */
const maxMessageChars = 2_000;

function bad(
  execution: Extract<ExecutionEvent, "fail" | "time_out" | "lose" | "cancel">,
  code: OutcomeCode,
  message: string,
  retry = false,
): Extract<RunOutcome, { kind: "bad" }> {
  return { kind: "bad", execution, code, message: message.slice(0, maxMessageChars), retry };
}

function stopped(report: RunFacts): RunOutcome | null {
  switch (report.stoppedBy) {
    case null:
      return null;
    case "cancel":
      return bad("cancel", "cancelled", "The run was cancelled and its processes are gone.");
    case "wall_clock":
      return bad("time_out", "timed_out", "The run reached its time limit and was stopped.");
    case "silence":
      return bad(
        "time_out",
        "silent",
        "The agent printed nothing for its silence limit and was stopped.",
      );
    case "shutdown":
      return bad("lose", "lost", "The runner went down in the middle of the run.", true);
  }
}

/** What the agent left cannot become a patch set. */
const patchFaults: readonly ErrorCode[] = ["secret_in_patch", "patch_too_large", "unpatchable"];

function faulted({ fault }: RunFacts): RunOutcome | null {
  if (fault === null) return null;
  if (patchFaults.includes(fault.code)) return bad("fail", "patch_rejected", fault.message);
  return bad("fail", "runner_fault", fault.message, errorTable[fault.code].retry === "later");
}

const asking = ({ question }: RunFacts): RunOutcome | null =>
  question == null
    ? null
    : { kind: "question", execution: "suspend", asks: question.kind, text: question.text };

const codeOfError: Record<AgentErrorKind, { code: OutcomeCode; retry: boolean }> = {
  auth: { code: "provider_auth", retry: false },
  forbidden: { code: "provider_forbidden", retry: false },
  rate_limit: { code: "provider_rate_limited", retry: true },
  quota: { code: "provider_quota", retry: false },
  overloaded: { code: "provider_overloaded", retry: true },
  network: { code: "provider_unreachable", retry: true },
  timeout: { code: "provider_unreachable", retry: true },
  invalid_request: { code: "provider_refused", retry: false },
  turn_limit: { code: "turn_limit", retry: false },
  budget: { code: "budget", retry: false },
  cancelled: { code: "incomplete", retry: true },
  permission: { code: "denied", retry: false },
  unknown: { code: "agent_error", retry: false },
};

function errored({ error, terminal }: RunFacts): RunOutcome | null {
  if (error !== null) {
    const { code, retry } = codeOfError[error.kind];
    const end = bad("fail", code, error.message, retry);
    return error.resetAtMs == null ? end : { ...end, resetAtMs: error.resetAtMs };
  }
  if (terminal !== null && !terminal.ok)
    return bad("fail", "agent_error", terminal.text || `The agent ended with ${terminal.reason}.`);
  return null;
}

function unfinished({ terminal, exit }: RunFacts): RunOutcome | null {
  if (terminal !== null && exit?.dismissed === true) return null;
  const killed = exit !== null && exit.signal !== null;
  if (terminal === null || killed) {
    const how = killed
      ? `The agent was killed by ${exit?.signal} before it said that it was done.`
      : "The agent ended without saying that it was done.";
    return bad("fail", "incomplete", how, killed);
  }
  if (exit === null || exit.exitCode !== 0)
    return bad("fail", "agent_error", `The agent exited with code ${exit?.exitCode ?? "unknown"}.`);
  return null;
}

function withoutPatch(report: RunFacts): RunOutcome {
  if (report.deniedToolCalls > 0)
    return bad(
      "fail",
      "denied",
      `Nothing was changed and ${report.deniedToolCalls} of the agent's tool calls were denied.`,
    );
  return { kind: "no_changes", execution: "succeed" };
}
