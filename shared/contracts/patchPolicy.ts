import { z } from "zod";

/** What a project lets a patch set do by itself, what needs a person, and what is refused. All of it is optional. */
const pathPatterns = z.array(z.string().min(1).max(4096)).max(200);

/** New content that git and the patch format take for binary. */
export const binaryPolicies = ["allowed", "approval", "refused"] as const;

export const patchPolicySchema = z
  .strictObject({
    protectedPaths: pathPatterns.optional().meta({
      description:
        "Path patterns, in any case, that need a person's approval beside the built-in ones, which no project can take away.",
    }),
    approvalAbove: z
      .strictObject({
        files: z.int().min(0).optional().meta({ description: "Default: 200." }),
        bytes: z.int().min(0).optional().meta({
          description: "Of all that the set adds. Default: 1048576.",
        }),
        changedLines: z.int().min(0).optional().meta({
          description: "Lines removed and lines added, together. Default: 10000.",
        }),
        changedShare: z.number().gt(0).max(1).optional().meta({
          description: "Share of a file's lines that a set removes or replaces. Default: any.",
        }),
        changedShareFloor: z.int().min(0).optional().meta({
          description:
            "Up to so many removed lines of a file its changedShare does not count. Default: 100.",
        }),
      })
      .optional()
      .meta({ description: "A set that is larger than one of these needs a person's approval." }),
    binary: z.enum(binaryPolicies).optional().meta({
      description: "What becomes of a set with new binary content. Default: approval.",
    }),
    secretScan: z
      .strictObject({
        ignorePaths: pathPatterns.optional(),
        ignoreRules: z
          .array(z.string().regex(/^[a-z0-9-]{1,60}$/))
          .max(100)
          .optional(),
      })
      .optional()
      .meta({
        description:
          "What is added is searched for secrets, which refuse the set. Here stand the path patterns and the names of rules that are left out.",
      }),
  })
  .meta({ id: "PatchPolicy" });
export type PatchPolicySettings = z.infer<typeof patchPolicySchema>;
