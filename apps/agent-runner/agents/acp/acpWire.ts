import { z } from "zod";

/** The messages of the Agent Client Protocol, version 1, as far as they are used. */
export const protocolVersion = 1;

const meta = z.record(z.string(), z.unknown()).nullish();
const lenientText = z.string().nullish().catch(null);

export const initializedSchema = z.object({
  protocolVersion: z.number(),
  agentInfo: z.object({ name: lenientText, version: lenientText }).nullish().catch(null),
  agentCapabilities: z
    .object({
      loadSession: z.boolean().nullish(),
      sessionCapabilities: z.object({ resume: z.unknown().optional() }).nullish(),
    })
    .nullish()
    .catch(null),
});
export type Initialized = z.infer<typeof initializedSchema>;

const configOptionSchema = z.object({
  id: z.string(),
  category: lenientText,
  currentValue: z.unknown().optional(),
  options: z
    .array(z.object({ value: z.unknown().optional() }))
    .nullish()
    .catch(null),
});

/** The answer to `session/new`, `session/load` and `session/resume`; only the first carries an id. */
export const openedSchema = z.object({
  sessionId: z.string().nullish(),
  modes: z
    .object({ availableModes: z.array(z.object({ id: z.string() })) })
    .nullish()
    .catch(null),
  models: z
    .object({
      currentModelId: lenientText,
      availableModels: z.array(z.object({ modelId: z.string() })),
    })
    .nullish()
    .catch(null),
  configOptions: z.array(configOptionSchema).nullish().catch(null),
});
export type Opened = z.infer<typeof openedSchema>;

const contentSchema = z.object({ type: z.string(), text: lenientText });

const toolContentSchema = z.object({
  type: z.string(),
  content: contentSchema.nullish().catch(null),
});

const toolCall = {
  toolCallId: z.string(),
  title: lenientText,
  name: lenientText,
  kind: lenientText,
  status: lenientText,
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  content: z.array(toolContentSchema).nullish().catch(null),
  locations: z
    .array(z.object({ path: z.string() }))
    .nullish()
    .catch(null),
  _meta: meta,
};
const toolCallSchema = z.object(toolCall);
export type ToolCall = z.infer<typeof toolCallSchema>;

const chunk = { content: contentSchema, _meta: meta };

export const updateSchema = z.discriminatedUnion("sessionUpdate", [
  z.object({ sessionUpdate: z.literal("agent_message_chunk"), ...chunk }),
  z.object({ sessionUpdate: z.literal("agent_thought_chunk"), ...chunk }),
  z.object({ sessionUpdate: z.literal("user_message_chunk"), ...chunk }),
  z.object({ sessionUpdate: z.literal("tool_call"), ...toolCall }),
  z.object({ sessionUpdate: z.literal("tool_call_update"), ...toolCall }),
  z.object({
    sessionUpdate: z.literal("usage_update"),
    cost: z.object({ amount: z.number(), currency: z.string() }).nullish().catch(null),
    _meta: meta,
  }),
]);
export type Update = z.infer<typeof updateSchema>;

/** Of an update that is not known: what kind it says it is, and its extension fields. */
export const anyUpdateSchema = z.object({ sessionUpdate: lenientText, _meta: meta.catch(null) });

export const updateParamsSchema = z.object({ update: z.record(z.string(), z.unknown()) });

export const permissionSchema = z.object({
  toolCall: toolCallSchema,
  options: z.array(z.object({ optionId: z.string(), kind: z.string() })),
});
export type PermissionRequest = z.infer<typeof permissionSchema>;

const tokens = z.number().min(0).nullish().catch(null);
export const usageSchema = z.object({
  inputTokens: tokens,
  outputTokens: tokens,
  thoughtTokens: tokens,
  cachedReadTokens: tokens,
  cachedWriteTokens: tokens,
  totalTokens: tokens,
});
export type AcpUsage = z.infer<typeof usageSchema>;

export const promptAnswerSchema = z.object({
  stopReason: z.string(),
  /** Null is not the same as absent: an agent that has figures says so of a turn that came to none. */
  usage: usageSchema.nullish(),
  _meta: meta,
});
export type PromptAnswer = z.infer<typeof promptAnswerSchema>;
