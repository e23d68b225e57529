import { z } from "zod";
import { factoryNameSchema } from "./identity.ts";
import { patchPolicySchema } from "./patchPolicy.ts";
import { validationCommandSchema } from "./runner.ts";
import { sourceSchema } from "./source.ts";
import { providerNameSchema } from "./task.ts";

export const projectSettingsSchema = z
  .strictObject({
    /** Commands that must pass on the patched tree before it is delivered. */
    validation: z.array(validationCommandSchema).max(50).default([]),
    preferredProvider: providerNameSchema.optional(),
    model: z.string().min(1).max(200).optional(),
    factory: factoryNameSchema.optional().meta({
      description:
        "The factory in whose containers agents work. Default: the one that made the task, if it has containers, else the deployment's own runner.",
    }),
    maxLive: z.int().min(0).max(10_000).optional().meta({
      description:
        "How many tasks of this project may be worked on at once. Default: no cap of its own.",
    }),
    allowedHosts: z
      .array(
        z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/, {
          error: "must be a host in lower case, such as registry.example.com or *.example.com",
        }),
      )
      .max(100)
      .optional()
      .meta({
        description:
          "Hosts that agents in containers may reach beside their model service. Default: none.",
      }),
    allowedPaths: z.array(z.string().min(1).max(4096)).min(1).max(200).optional().meta({
      description: "Path patterns that any patch may touch, such as src/**. Default: all.",
    }),
    patchPolicy: patchPolicySchema.optional(),
    remediation: z
      .strictObject({
        depth: z.int().min(0).max(3).optional().meta({
          description:
            "How many times in a row agents may put right a patch that could not be delivered, before a person has to; 0 = never. Default: 2.",
        }),
      })
      .optional(),
  })
  .meta({ id: "ProjectSettings" });
export type ProjectSettings = z.infer<typeof projectSettingsSchema>;

export const createProjectSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
      error: "must be lower-case letters, digits and dashes, at most 63",
    }),
    source: sourceSchema,
    settings: projectSettingsSchema.default({ validation: [] }),
  })
  .meta({ id: "CreateProject" });
export type CreateProject = z.infer<typeof createProjectSchema>;

export const projectViewSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    source: sourceSchema,
    settings: projectSettingsSchema,
    createdBy: z.string(),
    createdAtMs: z.int(),
  })
  .meta({ id: "Project" });
export type ProjectView = z.infer<typeof projectViewSchema>;
