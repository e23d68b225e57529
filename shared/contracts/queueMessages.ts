import { z } from "zod";

/**
 * A message of the queue `ai-provider-tasks` means "look at this task", never "do this": ids and a version.
 * The plan's fields parse too: `cli_command` is the id of a template, `env_vars` names only. A value is refused,
 * since a queue keeps its messages and a secret would be kept with them.
 */
export const taskMessageSchema = z.strictObject({
  version: z.literal(1),
  organization_id: z.string().min(1).max(100),
  task_id: z.string().min(1).max(100),
  provider: z.string().max(60).optional(),
  factory: z.string().max(100).optional(),
  cli_command: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,59}$/, {
      error: "cli_command is the id of a template, not a command",
    })
    .optional(),
  env_vars: z
    .array(
      z.string().regex(/^[A-Z][A-Z0-9_]{0,80}$/, {
        error: "env_vars holds names of variables, never values",
      }),
    )
    .optional(),
});
export type TaskMessage = z.infer<typeof taskMessageSchema>;
