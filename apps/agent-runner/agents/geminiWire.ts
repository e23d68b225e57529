import { z } from "zod";

/** The lines of `gemini -o stream-json`, as far as they are used (0.61.0). */
export const geminiLineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("init"),
    session_id: z.string().nullish(),
    model: z.string().nullish(),
  }),
  z.object({
    type: z.literal("message"),
    role: z.enum(["user", "assistant"]),
    content: z.string(),
    delta: z.boolean().nullish(),
  }),
  z.object({
    type: z.literal("tool_use"),
    tool_id: z.string(),
    tool_name: z.string(),
    parameters: z.unknown().optional(),
  }),
  z.object({
    type: z.literal("tool_result"),
    tool_id: z.string(),
    status: z.string(),
    output: z.string().nullish(),
    error: z.object({ type: z.string().nullish(), message: z.string().nullish() }).nullish(),
  }),
  z.object({
    type: z.literal("error"),
    severity: z.string().nullish(),
    message: z.string(),
  }),
  z.object({
    type: z.literal("result"),
    status: z.string(),
    error: z.object({ type: z.string().nullish(), message: z.string().nullish() }).nullish(),
    stats: z
      .object({
        total_tokens: z.number().nullish(),
        input_tokens: z.number().nullish(),
        output_tokens: z.number().nullish(),
        cached: z.number().nullish(),
        duration_ms: z.number().nullish(),
      })
      .nullish(),
  }),
]);

export type GeminiLine = z.infer<typeof geminiLineSchema>;
export type GeminiResult = Extract<GeminiLine, { type: "result" }>;
export type GeminiToolResult = Extract<GeminiLine, { type: "tool_result" }>;
