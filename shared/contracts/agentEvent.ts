import { z } from "zod";

// A newer runner may say more of a thing than this version knows: unknown fields are dropped.

/** Why an agent, or the service behind it, could not go on. */
export const agentErrorKinds = [
  "auth",
  "rate_limit",
  "quota",
  "overloaded",
  "invalid_request",
  "forbidden",
  "network",
  "timeout",
  "cancelled",
  "turn_limit",
  "budget",
  "permission",
  "unknown",
] as const;
export type AgentErrorKind = (typeof agentErrorKinds)[number];

const count = z.int().min(0);

/** Who says what a run has cost: the agent, the provider's configuration, or the list prices of models. */
export const costSources = ["agent", "configured", "price_table"] as const;
export type CostSource = (typeof costSources)[number];

/**
 * Tokens of one scope. `inputTokens` counts all input, `cachedInputTokens` and `cacheWriteTokens` are parts of
 * it; `outputTokens` counts all output, `reasoningTokens` is a part of it. Money is micro-dollars; null = unknown.
 */
export const tokenUsageSchema = z
  .object({
    inputTokens: count,
    cachedInputTokens: count,
    cacheWriteTokens: count,
    outputTokens: count,
    reasoningTokens: count,
    costMicroUsd: count.nullable(),
    /** Absent as long as only the agent has had a say. */
    costSource: z.enum(costSources).nullish(),
  })
  .meta({ id: "TokenUsage" });
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

/** What an agent did, in the agent's own words but in one form for every agent. */
const fromAgent = [
  z.object({
    type: z.literal("init"),
    sessionId: z.string().nullable(),
    model: z.string().nullable(),
    cwd: z.string().nullable(),
    tools: z.array(z.string()).optional(),
  }),
  z.object({
    type: z.literal("message"),
    role: z.enum(["user", "assistant"]),
    text: z.string(),
    delta: z.boolean().optional(),
  }),
  z.object({ type: z.literal("thinking"), text: z.string() }),
  z.object({
    type: z.literal("tool_use"),
    id: z.string(),
    name: z.string(),
    input: z.unknown(),
  }),
  z.object({
    type: z.literal("tool_result"),
    id: z.string(),
    ok: z.boolean(),
    denied: z.boolean().optional(),
    output: z.string(),
  }),
  z.object({
    type: z.literal("usage"),
    scope: z.enum(["step", "run", "session"]),
    usage: tokenUsageSchema,
  }),
  z.object({
    type: z.literal("retry"),
    attempt: count,
    max: count.nullable(),
    delayMs: count.nullable(),
    status: z.int().nullable(),
    kind: z.enum(agentErrorKinds),
  }),
  z.object({
    type: z.literal("error"),
    kind: z.enum(agentErrorKinds),
    status: z.int().nullable(),
    message: z.string(),
    fatal: z.boolean(),
    /** When the provider takes work again, if it told (ms UTC). */
    resetAtMs: count.nullish(),
  }),
  z.object({
    type: z.literal("result"),
    ok: z.boolean(),
    reason: z.string(),
    text: z.string(),
    turns: count.nullable(),
    durationMs: count.nullable(),
  }),
  z.object({ type: z.literal("raw"), sourceType: z.string(), text: z.string() }),
] as const;

/** What the runner did around the agent. */
const fromAgentRun = [
  z.object({
    type: z.literal("workspace_ready"),
    baseCommit: z.string(),
    files: count,
    durationMs: count,
  }),
  z.object({ type: z.literal("agent_started"), agent: z.string(), version: z.string() }),
  z.object({
    type: z.literal("parse_warning"),
    message: z.string(),
    bytes: count,
  }),
  z.object({
    type: z.literal("agent_exited"),
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    /** The runner ended it after its last word, so that how it ended tells nothing. */
    dismissed: z.boolean().optional(),
  }),
  z.object({
    type: z.literal("diff"),
    files: count,
    operations: count,
    addedLines: count,
    removedLines: count,
    /** Files of the patch that a .gitignore changed by the agent would have hidden. */
    hiddenByIgnoreRules: z.array(z.string()),
    /** Sockets, pipes and devices, which no tree can hold. */
    leftOut: z.array(z.string()).optional(),
  }),
  /** A request that the agent's container was not allowed to make; told once a host and reason. */
  z.object({ type: z.literal("egress_denied"), host: z.string(), because: z.string() }),
  z.object({ type: z.literal("interrupted"), reason: z.string() }),
] as const;

/** What the runner of a patch set did. */
const fromPatchRun = [
  z.object({ type: z.literal("patch_applied"), treeId: z.string(), files: count }),
  z.object({
    type: z.literal("command_started"),
    name: z.string(),
    argv: z.array(z.string()),
  }),
  z.object({ type: z.literal("command_output"), name: z.string(), text: z.string() }),
  z.object({
    type: z.literal("command_finished"),
    name: z.string(),
    status: z.enum(["passed", "failed", "timed_out", "not_started"]),
    exitCode: z.int().nullable(),
    durationMs: count,
  }),
] as const;

/** What the supervisor decided; the reason is for a person to read. */
const fromSupervisor = [
  z.object({
    type: z.literal("state"),
    task: z.string(),
    execution: z.string().nullable(),
    because: z.string().nullable(),
  }),
] as const;

export const agentEventSchema = z
  .discriminatedUnion("type", [...fromAgent, ...fromAgentRun, ...fromPatchRun, ...fromSupervisor])
  .meta({ id: "AgentEvent" });
export type AgentEvent = z.infer<typeof agentEventSchema>;

/** An event with its number, counted from 1 without a gap within one run, and its time (ms UTC). */
export const numberedEventSchema = z.object({
  number: z.int().min(1),
  atMs: count,
  event: agentEventSchema,
});
export type NumberedEvent = z.infer<typeof numberedEventSchema>;
