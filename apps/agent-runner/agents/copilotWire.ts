import { z } from "zod";

/** The lines of `copilot --output-format json`, as far as they are used (1.0.102). */
export const copilotLineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("session.tools_updated"),
    data: z.object({ model: z.string().nullish() }),
  }),
  z.object({ type: z.literal("user.message"), data: z.object({ content: z.string() }) }),
  z.object({ type: z.literal("assistant.message"), data: z.object({ content: z.string() }) }),
  z.object({ type: z.literal("assistant.reasoning"), data: z.object({ content: z.string() }) }),
  z.object({
    type: z.literal("tool.execution_start"),
    data: z.object({
      toolCallId: z.string(),
      toolName: z.string(),
      arguments: z.unknown().optional(),
    }),
  }),
  z.object({
    type: z.literal("tool.execution_complete"),
    data: z.object({
      toolCallId: z.string(),
      success: z.boolean(),
      result: z.object({ content: z.string().nullish() }).nullish().catch(null),
      error: z.object({ message: z.string().nullish(), code: z.string().nullish() }).nullish(),
    }),
  }),
  z.object({
    type: z.literal("model.call_failure"),
    data: z.object({
      statusCode: z.int().nullish(),
      retryAttempt: z.int().min(0).nullish(),
      errorMessage: z.string().nullish(),
    }),
  }),
  z.object({ type: z.literal("assistant.turn_retry"), data: z.object({}) }),
  z.object({
    type: z.literal("session.error"),
    data: z.object({
      errorType: z.string().nullish(),
      message: z.string(),
      statusCode: z.int().nullish(),
    }),
  }),
  z.object({ type: z.literal("abort"), data: z.object({ reason: z.string().nullish() }) }),
  z.object({
    type: z.literal("result"),
    sessionId: z.string().nullish(),
    exitCode: z.int(),
    usage: z.object({ sessionDurationMs: z.number().nullish() }).nullish(),
  }),
]);
export type CopilotLine = z.infer<typeof copilotLineSchema>;
type DataOf<Type extends CopilotLine["type"]> = Extract<CopilotLine, { type: Type; data: object }>;
export type CopilotToolEnd = DataOf<"tool.execution_complete">["data"];
export type CopilotFailure = DataOf<"model.call_failure">["data"];
export type CopilotError = DataOf<"session.error">["data"];
export type CopilotResult = Extract<CopilotLine, { type: "result" }>;

/** Said many times a second, in pieces of what comes whole afterwards, or of its own terminal. */
export const copilotNoise: ReadonlySet<string> = new Set([
  "session.background_tasks_changed",
  "assistant.message_start",
  "assistant.message_delta",
  "assistant.reasoning_delta",
  "assistant.tool_call_delta",
  "tool.execution_partial_result",
  "tool.shell_output",
  "model.call_start",
  "model.call_finished",
]);

const tokens = z.int().min(0).nullish();

/** The file of `--usage-output-file`. */
export const copilotUsageSchema = z.object({
  modelMetrics: z.record(
    z.string(),
    z.object({
      usage: z.object({
        inputTokens: tokens,
        outputTokens: tokens,
        cacheReadTokens: tokens,
        cacheWriteTokens: tokens,
        reasoningTokens: tokens,
      }),
    }),
  ),
});
