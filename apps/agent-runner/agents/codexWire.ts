import { z } from "zod";

/** The lines of `codex exec --json`, as far as they are used (0.169.0). */
const item = z.object({
  id: z.string(),
  type: z.string(),
  text: z.string().nullish(),
  message: z.string().nullish(),
  status: z.string().nullish(),
  command: z.string().nullish(),
  aggregated_output: z.string().nullish(),
  changes: z.array(z.object({ path: z.string(), kind: z.string().nullish() })).nullish(),
  server: z.string().nullish(),
  tool: z.string().nullish(),
  arguments: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string().nullish() }).nullish().catch(null),
  query: z.string().nullish(),
  items: z.array(z.unknown()).nullish(),
});
export type CodexItem = z.infer<typeof item>;

export const codexUsageSchema = z.object({
  input_tokens: z.number(),
  cached_input_tokens: z.number().nullish(),
  cache_write_input_tokens: z.number().nullish(),
  output_tokens: z.number(),
  reasoning_output_tokens: z.number().nullish(),
});
export type CodexUsage = z.infer<typeof codexUsageSchema>;

export const codexLineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("thread.started"), thread_id: z.string() }),
  z.object({ type: z.literal("item.started"), item }),
  z.object({ type: z.literal("item.completed"), item }),
  z.object({ type: z.literal("turn.completed"), usage: codexUsageSchema.nullish() }),
  z.object({ type: z.literal("turn.failed"), error: z.object({ message: z.string() }).nullish() }),
  z.object({ type: z.literal("error"), message: z.string() }),
]);
export type CodexLine = z.infer<typeof codexLineSchema>;

/** The lines of a session file that tell what its thread has used so far, and with which model. */
export const codexSessionLineSchema = z.union([
  z.object({
    type: z.literal("event_msg"),
    payload: z.object({
      type: z.literal("token_count"),
      info: z.object({ total_token_usage: codexUsageSchema }),
    }),
  }),
  z.object({ type: z.literal("turn_context"), payload: z.object({ model: z.string() }) }),
]);
