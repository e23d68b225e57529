import type { NumberedEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../../../shared/contracts/runner.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import type { TaskLimits } from "../limits.ts";
import type { FactoryRef } from "../placement.ts";
import type { Secret } from "./secrets.ts";

export type AgentCapabilities = {
  sources: readonly Source["kind"][];
  resume: boolean;
  cancel: "none" | "best-effort" | "confirmed";
  /** What its own service asks money for: tokens at the list price of the model, or something else. */
  billing: "tokens" | "plan";
};

export type AgentRequest = {
  organizationId: string;
  taskId: string;
  executionId: string;
  fence: number;
  prompt: string;
  model: string | null;
  endpoint: string | null;
  source: Source;
  limits: TaskLimits;
  sessionId: string | null;
  /** The task that the session is of, where it is another one. If it is not there any more, a new one begins. */
  sessionTaskId?: string;
  credential: Secret;
  /** The name that the credential has among the secrets. */
  credentialName: string;
  /** Hosts that the project allows its agents, where they are kept from all others. */
  allowedHosts: readonly string[];
  doorbell: { url: string; token: string } | null;
  /** In whose containers it works; null = on the deployment's own runner. */
  factory: FactoryRef | null;
};

export type AgentSession = { organizationId: string; taskId: string; id: string };

export type AgentHandle = Pick<AgentRequest, "executionId" | "fence" | "factory">;

export type AgentProgress =
  | { kind: "live"; lastEvent: number }
  | { kind: "finished"; lastEvent: number; report: RunReport };

/**
 * One agent provider, whatever is behind it. Execute is `start`, then `follow` until `progress` says finished.
 * Every method may be repeated with the same handle. Throws SwitchyardError; `prompt_required` and
 * `invalid_timeout` before anything is started.
 */
export type CodeAgent = {
  readonly name: string;
  readonly capabilities: AgentCapabilities;
  availability(timeoutMs: number, factory?: FactoryRef | null): Promise<AgentAvailability>;
  start(request: AgentRequest): Promise<AgentHandle>;
  follow(
    handle: AgentHandle,
    options: {
      after: number;
      waitMs: number;
      signal?: AbortSignal;
      onEvents(events: NumberedEvent[]): void;
    },
  ): Promise<void>;
  progress(handle: AgentHandle): Promise<AgentProgress>;
  /** Asks for the end; it is confirmed when `progress` says finished. */
  cancel(handle: AgentHandle, reason: "cancel" | "wall_clock" | "silence"): Promise<void>;
  /**
   * Who takes the session of a finished run to where a later start of the task finds it; it may be asked again. Null
   * where sessions stay with their runner, or nothing goes on with one.
   */
  sessionKeeper?(handle: AgentHandle): ((session: AgentSession) => Promise<void>) | null;
  /** Gives back what the run occupies, once its report is held or its end confirmed. May be repeated. */
  release?(handle: AgentHandle): Promise<void>;
};

export type AgentAvailability =
  | { kind: "available"; version: string }
  | {
      kind: "unavailable";
      code: "runner_unreachable" | "agent_not_installed" | "protocol_unsupported";
      because: string;
    };
