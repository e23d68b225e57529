import { z } from "zod";

/** The events of `opencode serve`, as far as they are used (1.18.33). */
const text = z.string().nullish();

const partIds = { id: z.string(), messageID: z.string() };

export const toolStateSchema = z.object({
  status: z.string(),
  input: z.unknown().optional(),
  output: text,
  error: text,
});

export const partSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.enum(["text", "reasoning"]),
    ...partIds,
    text: z.string(),
    time: z.object({ end: z.number().nullish() }).nullish(),
  }),
  z.object({
    type: z.literal("tool"),
    ...partIds,
    tool: z.string(),
    callID: z.string(),
    state: toolStateSchema,
  }),
  z.object({
    type: z.literal("step-finish"),
    ...partIds,
    cost: z.number().nullish(),
    tokens: z.object({
      input: z.number(),
      output: z.number(),
      reasoning: z.number().nullish(),
      cache: z.object({ read: z.number(), write: z.number() }).nullish(),
    }),
  }),
  z.object({ type: z.enum(["step-start", "patch", "snapshot"]), ...partIds }),
]);
export type Part = z.infer<typeof partSchema>;
export type ToolPart = Extract<Part, { type: "tool" }>;
export type StepFinish = Extract<Part, { type: "step-finish" }>;

const sessionID = z.string();

export const serveEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message.updated"),
    properties: z.object({
      sessionID,
      info: z.object({ id: z.string(), role: z.string() }),
    }),
  }),
  z.object({
    type: z.literal("message.part.updated"),
    properties: z.object({ sessionID, part: partSchema }),
  }),
  z.object({
    type: z.literal("message.part.delta"),
    properties: z.object({
      sessionID,
      messageID: z.string(),
      partID: z.string(),
      field: z.string(),
      delta: z.string(),
    }),
  }),
  z.object({
    type: z.literal("session.status"),
    properties: z.object({
      sessionID,
      status: z.object({ type: z.string(), attempt: z.int().min(0).nullish(), message: text }),
    }),
  }),
  z.object({
    type: z.literal("session.error"),
    properties: z.object({
      sessionID: z.string().nullish(),
      error: z
        .object({
          name: text,
          data: z.object({ message: text, statusCode: z.int().nullish() }).nullish().catch(null),
        })
        .nullish(),
    }),
  }),
  z.object({ type: z.literal("session.idle"), properties: z.object({ sessionID }) }),
]);
export type ServeEvent = z.infer<typeof serveEventSchema>;
export type ServeError = Extract<ServeEvent, { type: "session.error" }>["properties"]["error"];

/** Of an event that is not known: its type, and whose it is. */
export const anyEventSchema = z.object({
  type: z.string(),
  properties: z.object({ sessionID: z.string().nullish().catch(null) }).nullish(),
});

export const sessionSchema = z.object({ id: z.string() });
