import { z } from "zod";

/** The lines of `claude --output-format stream-json`, as far as they are used (2.1.329). */
const contentBlock = z.object({
  type: z.string(),
  text: z.string().nullish(),
  thinking: z.string().nullish(),
  id: z.string().nullish(),
  name: z.string().nullish(),
  input: z.unknown().optional(),
  tool_use_id: z.string().nullish(),
  is_error: z.boolean().nullish(),
  content: z
    .union([z.string(), z.array(z.object({ text: z.string().nullish() }))])
    .nullish()
    .catch(null),
});
export type ContentBlock = z.infer<typeof contentBlock>;

const message = z.object({ content: z.union([z.string(), z.array(contentBlock)]).nullish() });

const modelUsage = z.object({
  inputTokens: z.number().nullish(),
  outputTokens: z.number().nullish(),
  cacheReadInputTokens: z.number().nullish(),
  cacheCreationInputTokens: z.number().nullish(),
  thinkingTokens: z.number().nullish(),
  costUSD: z.number().nullish(),
});
export type ModelUsage = z.infer<typeof modelUsage>;

export const claudeLineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("system"),
    subtype: z.string().nullish(),
    session_id: z.string().nullish(),
    model: z.string().nullish(),
    cwd: z.string().nullish(),
    tools: z.array(z.string()).nullish(),
    attempt: z.number().nullish(),
    max_retries: z.number().nullish(),
    retry_delay_ms: z.number().nullish(),
    error_status: z.number().nullish(),
    error: z.string().nullish(),
    tool_use_id: z.string().nullish(),
  }),
  z.object({ type: z.literal("assistant"), message: message.nullish() }),
  z.object({ type: z.literal("user"), message: message.nullish() }),
  z.object({
    type: z.literal("result"),
    subtype: z.string().nullish(),
    is_error: z.boolean().nullish(),
    result: z.string().nullish(),
    errors: z.array(z.string()).nullish(),
    terminal_reason: z.string().nullish(),
    num_turns: z.number().nullish(),
    duration_ms: z.number().nullish(),
    api_error: z.string().nullish(),
    api_error_status: z.number().nullish(),
    api_error_type: z.string().nullish(),
    permission_denials: z.array(z.object({ tool_use_id: z.string().nullish() })).nullish(),
    usage: z
      .object({
        input_tokens: z.number().nullish(),
        output_tokens: z.number().nullish(),
        cache_read_input_tokens: z.number().nullish(),
        cache_creation_input_tokens: z.number().nullish(),
      })
      .nullish(),
    total_cost_usd: z.number().nullish(),
    model_usage_since_last_result: z.record(z.string(), modelUsage).nullish(),
  }),
]);

export type ClaudeLine = z.infer<typeof claudeLineSchema>;
export type ClaudeResult = Extract<ClaudeLine, { type: "result" }>;
export type ClaudeSystem = Extract<ClaudeLine, { type: "system" }>;
