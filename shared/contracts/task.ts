import { z } from "zod";
import { tokenUsageSchema } from "./agentEvent.ts";
import { patchFaultSchema } from "./aiPatch.ts";
import { validationCommandSchema, validationReportSchema } from "./runner.ts";
import { branchNameSchema, commitIdSchema, sourceSchema } from "./source.ts";

export const taskTypes = ["generate", "fix", "refactor", "optimize"] as const;
/** The kinds that a caller can ask for. */
export const taskKinds = ["code"] as const;

export const orderIdSchema = z.string().regex(/^ORD-[A-Za-z0-9]{1,40}$/, {
  error: "must be ORD- and 1 to 40 letters or digits",
});

/** Names of providers in requests; which of them exist is decided by the registry. */
export const providerNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, {
  error: "must be a provider name, such as claude-code or gemini",
});

/** The same key and request give the first answer again; the same key with another request is refused. */
export const idempotencyKeySchema = z.string().min(1).max(200);

const seconds = z.int().min(1).max(86_400);
const id = z.string().min(1).max(100);
const atMs = z.int().min(0);

/** Wrapped in a function, since the limits of a prompt and of a path list are settings of the core. */
export const createTaskSchema = z
  .strictObject({
    projectId: id.meta({ description: "The project whose repository the task works on." }),
    prompt: z.string().meta({ description: "What the agent shall do." }),
    type: z.enum(taskTypes).default("generate"),
    kind: z.enum(taskKinds).default("code"),
    orderId: orderIdSchema.optional().meta({
      description:
        "Tasks of one order deliver to one branch, factory/<orderId>, one after the other. Default: an order of its own.",
    }),
    branch: branchNameSchema.optional().meta({
      description: "The branch to start from. Default: the one of the project's source.",
    }),
    commit: commitIdSchema.optional(),
    provider: providerNameSchema.optional().meta({
      description: "This provider and no other, unless allowFallback is true.",
    }),
    allowFallback: z.boolean().default(false),
    model: z.string().min(1).max(200).optional(),
    allowedPaths: z.array(z.string().min(1).max(4096)).min(1).max(200).optional().meta({
      description: "Path patterns that the patch may touch, such as src/**. Default: all.",
    }),
    limits: z
      .strictObject({
        wallClockSeconds: seconds.optional(),
        silenceSeconds: seconds.optional(),
        maxAttempts: z.int().min(1).max(10).optional(),
        deadlineSeconds: z
          .int()
          .min(60)
          .max(7 * 86_400)
          .optional(),
      })
      .default({}),
    callbackUrl: z.url().max(2000).optional().meta({
      description: "An https address that gets a signed POST when the task ends.",
    }),
    validation: z.array(validationCommandSchema).max(50).optional().meta({
      description: "Only in local mode; elsewhere an admin sets it on the project.",
    }),
  })
  .meta({ id: "CreateTask" });
export type CreateTask = z.infer<typeof createTaskSchema>;

export const executionViewSchema = z
  .strictObject({
    id,
    fence: z.int(),
    provider: z.string(),
    factory: z.string().nullable().meta({
      description: "In whose containers the agent works; null = on this deployment's own runner.",
    }),
    status: z.string(),
    model: z.string().nullable(),
    sessionId: z.string().nullable(),
    durationMs: z.int().nullable(),
    usage: tokenUsageSchema.nullable(),
    events: z.int(),
    outcome: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: "Execution" });

export const patchViewSchema = z
  .strictObject({
    id,
    status: z.string(),
    baseCommit: z.string(),
    files: z.int(),
    operations: z.int(),
    treeId: z.string().nullable(),
    validation: validationReportSchema.nullable(),
    faults: z.array(patchFaultSchema),
  })
  .meta({ id: "Patch" });

export const taskViewSchema = z
  .strictObject({
    id,
    projectId: id,
    orderId: z.string(),
    status: z.string(),
    type: z.enum(taskTypes),
    kind: z.string(),
    fence: z.int(),
    provider: z.string().nullable(),
    source: sourceSchema,
    outcome: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    waiting: z
      .strictObject({ reason: z.string(), untilMs: atMs })
      .nullable()
      .meta({ description: "Why a task does not go on just now, and until when it waits." }),
    parentId: id.nullable().meta({ description: "The task that this one remediates." }),
    replayOf: id
      .nullable()
      .meta({ description: "The task of a dead letter that this one replays." }),
    reverts: id.nullable().meta({ description: "The patch set that this task takes back." }),
    cancelRequested: z.boolean(),
    createdBy: z.string(),
    createdAtMs: atMs,
    updatedAtMs: atMs,
    finishedAtMs: atMs.nullable(),
  })
  .meta({ id: "Task" });
export type TaskView = z.infer<typeof taskViewSchema>;

export const taskDetailSchema = taskViewSchema
  .extend({
    prompt: z.string(),
    execution: executionViewSchema.nullable(),
    patch: patchViewSchema.nullable(),
    commit: z.strictObject({ branch: z.string(), sha: z.string() }).nullable(),
    log: z.array(
      z.strictObject({
        atMs,
        actor: z.string(),
        action: z.string(),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: "TaskDetail" });
export type TaskDetail = z.infer<typeof taskDetailSchema>;
