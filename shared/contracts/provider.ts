import { z } from "zod";
import { providerNameSchema } from "./task.ts";

export const providerTypes = ["jules", "cli"] as const;
/** `internal`: Switchyard does the work itself, without an agent. */
export const assignmentTypes = [...providerTypes, "internal"] as const;

/** Why a provider can or cannot take a task; every provider that was looked at gets one. */
export const providerVerdictSchema = z
  .strictObject({
    provider: z.string(),
    eligible: z.boolean(),
    code: z.enum([
      "eligible",
      "not_preferred",
      "disabled",
      "unverified",
      "source_unsupported",
      "no_credentials",
      "runner_unreachable",
      "agent_not_installed",
      "protocol_unsupported",
      "key_not_allowed",
    ]),
    because: z.string(),
    /** Whether waiting can make it eligible. */
    transient: z.boolean(),
  })
  .meta({ id: "ProviderVerdict" });
export type ProviderVerdict = z.infer<typeof providerVerdictSchema>;

export const routeDecisionSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("assign"),
      provider: z.string(),
      because: z.string(),
      considered: z.array(providerVerdictSchema),
    }),
    z.strictObject({
      kind: z.literal("none"),
      because: z.string(),
      transient: z.boolean(),
      considered: z.array(providerVerdictSchema),
    }),
  ])
  .meta({ id: "RouteDecision" });
export type RouteDecision = z.infer<typeof routeDecisionSchema>;

export const providerStatusSchema = z
  .strictObject({
    name: z.string(),
    type: z.enum(providerTypes),
    unverified: z.boolean().meta({
      description:
        "Written after its documentation alone, and used only where the deployment allows it.",
    }),
    enabled: z.boolean(),
    available: z.boolean(),
    because: z.string(),
    version: z.string().nullable(),
    liveExecutions: z.int(),
    capabilities: z.strictObject({
      sources: z.array(z.string()),
      resume: z.boolean(),
      cancel: z.enum(["none", "best-effort", "confirmed"]),
      billing: z.enum(["tokens", "plan"]),
    }),
    defaultModel: z.string().nullable(),
    apiEndpoint: z.string().nullable(),
  })
  .meta({ id: "ProviderStatus" });
export type ProviderStatus = z.infer<typeof providerStatusSchema>;

export const providerConfigSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    apiEndpoint: z.url().max(500).nullable().default(null).meta({
      description: "Base URL of the model service. Null: the agent's own.",
    }),
    defaultModel: z.string().min(1).max(200).nullable().default(null),
    rateLimits: z
      .strictObject({ maxLive: z.int().min(0).max(10_000).optional() })
      .default({})
      .meta({ description: "maxLive: how many executions of this provider may be live at once." }),
    costPerToken: z
      .strictObject({
        inputMicroUsdPerMillion: z.int().min(0).optional(),
        outputMicroUsdPerMillion: z.int().min(0).optional(),
      })
      .default({}),
  })
  .meta({ id: "ProviderConfig" });
export type ProviderConfig = z.infer<typeof providerConfigSchema>;

export const providerParam = z.strictObject({ name: providerNameSchema });
