import { z } from "zod";

/** The lines of `cursor-agent --output-format stream-json` as they are documented; no run has been seen. */
const message = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().nullish() })).nullish(),
});

/** One entry, named after the tool. */
const toolCall = z.record(
  z.string(),
  z.object({
    name: z.string().nullish(),
    arguments: z.unknown().optional(),
    args: z.unknown().optional(),
    result: z.record(z.string(), z.unknown()).nullish(),
  }),
);
export type CursorToolCall = z.infer<typeof toolCall>;

export const cursorLineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("system"),
    subtype: z.literal("init"),
    session_id: z.string().nullish(),
    model: z.string().nullish(),
    cwd: z.string().nullish(),
  }),
  z.object({ type: z.literal("user"), message }),
  z.object({ type: z.literal("assistant"), message }),
  z.object({
    type: z.literal("tool_call"),
    subtype: z.enum(["started", "completed"]),
    call_id: z.string(),
    tool_call: toolCall,
  }),
  z.object({
    type: z.literal("result"),
    subtype: z.string().nullish(),
    is_error: z.boolean().nullish(),
    result: z.string().nullish(),
    duration_ms: z.number().nullish(),
  }),
]);
export type CursorLine = z.infer<typeof cursorLineSchema>;
