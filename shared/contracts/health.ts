import { z } from "zod";

/** What `GET /health` tells anybody, without a token: no name of an organization, a host or a secret. */
export const healthSchema = z
  .strictObject({
    ok: z.boolean().meta({ description: "Whether it can take tasks; the status is 503 if not." }),
    name: z.literal("switchyard"),
    version: z.string(),
    runnerProtocol: z.string().meta({ description: "What it speaks with runners." }),
    database: z.enum(["ok", "unreachable"]),
    agentRuntime: z.enum(["runner", "container"]),
    agents: z.record(z.string(), z.string()).meta({
      description:
        "The coding agents with the versions that they are pinned at. With containers: those of the image.",
    }),
  })
  .meta({ id: "Health" });
export type Health = z.infer<typeof healthSchema>;
