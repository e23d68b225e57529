import { z } from "zod";
import { errorCodes } from "../errors.ts";
import { agentErrorKinds, tokenUsageSchema } from "./agentEvent.ts";
import { patchFaultSchema, patchSetSchema } from "./aiPatch.ts";
import { reportedConflictSchema } from "./reportedConflict.ts";
import { commitIdSchema, sourceSchema } from "./source.ts";

/**
 * `runner/1`: what the supervisor and a runner say to each other over HTTP with one bearer token.
 *
 *   GET  /health
 *   PUT  /runs/:executionId     PUT /patches/:patchSetId       start it; the same id returns the same run. With the
 *                                                             header `switchyard-boot`: only if the runner is still
 *                                                             that of an earlier answer of /health
 *   GET  …/events?after=N&waitMs=M                             NDJSON of NumberedEvent, waits for more
 *   GET  …/result               POST …/cancel
 *   GET  /patches/:patchSetId/output?command=N                 what command N of its validation printed, as text
 *   POST …/denied-hosts                                        whoever guards its network tells what was denied
 *   GET  /runs/:executionId/session                            the session of a finished run, as `session/1`
 *   PUT  /runs/:executionId/session                            a session for a run that has not begun to go on with
 *   PUT  /bundles/:name                                        a git bundle, for a source of the kind `bundle`
 *   POST /forge/bundle                                         a local source as such a bundle
 *   POST /forge/ref, /forge/commit, /forge/move-ref            local repositories only
 *   POST /forge/files                                          files of a commit, see forgeFiles.ts; likewise
 *   POST /forge/goes-on                                        whether a commit goes on from another; likewise
 *
 * Every JSON answer is a Result. Another id while one is live is 409 `busy`.
 *
 * Requests are strict: a runner does not begin what it understands in part. Answers are lenient: fields that this
 * version does not know are dropped, so that a runner may be newer than the worker. A patch set is strict in both
 * directions, and has a version of its own.
 */
export const runnerProtocols = ["runner/1"] as const;
export const currentRunnerProtocol = "runner/1";
/** A runner does one of the two: it runs agents, or it applies and tries patch sets. */
export const runnerRoles = ["agents", "patches"] as const;
export type RunnerRole = (typeof runnerRoles)[number];
export const bootHeader = "switchyard-boot";

const count = z.int().min(0);
const protocol = z.string().max(40);
const fence = z.int().min(1);

/** Where a runner rings when something happened. It carries no state: whoever hears it asks the runner. */
export const doorbellSchema = z.strictObject({ url: z.url(), token: z.string() });

/** A limit in ms must be a positive whole number of at most one day. */
const limitMs = z.int().min(1).max(86_400_000);

export const runRequestSchema = z.strictObject({
  protocol,
  fence,
  taskId: z.string().max(100),
  agent: z.string().max(60),
  prompt: z.string().min(1),
  model: z.string().max(200).optional(),
  source: sourceSchema,
  limits: z.strictObject({
    wallClockMs: limitMs,
    silenceMs: limitMs,
    maxPatchBytes: z.int().min(1),
  }),
  /** An earlier session of the same agent to go on with. With `orNew` a new one begins where it is not kept any more. */
  session: z
    .strictObject({ id: z.string().min(1).max(200), orNew: z.literal(true).optional() })
    .optional(),
  /** Base URL of the model service; absent = the agent's own. */
  endpoint: z.url().optional(),
  /** The endpoint is another address of the agent's own model service, and not of another one. */
  endpointIsOwn: z.literal(true).optional(),
  /** Environment variables by name. They live in memory only and are redacted from all that leaves. */
  secrets: z.record(z.string().regex(/^[A-Z][A-Z0-9_]{1,80}$/), z.string()),
  doorbell: doorbellSchema.optional(),
});
export type RunRequest = z.infer<typeof runRequestSchema>;

/** Why the runner itself ended the agent. */
export const stopReasons = ["cancel", "wall_clock", "silence", "shutdown"] as const;
export type StopReason = (typeof stopReasons)[number];

/** What was seen of one run. Whether that is a success is decided by the core, not by the runner. */
export const runReportSchema = z.object({
  agent: z.string(),
  agentVersion: z.string(),
  stoppedBy: z.enum(stopReasons).nullable(),
  /** The agent's own last word; null when the stream ended without one. */
  terminal: z.object({ ok: z.boolean(), reason: z.string(), text: z.string() }).nullable(),
  exit: z
    .object({
      exitCode: z.int().nullable(),
      signal: z.string().nullable(),
      /** The runner ended it after its last word, so that how it ended tells nothing. */
      dismissed: z.boolean().optional(),
    })
    .nullable(),
  toolCalls: count,
  deniedToolCalls: count,
  /** The error that ended the run, if the agent told one. */
  error: z
    .object({
      kind: z.enum(agentErrorKinds),
      status: z.int().nullable(),
      message: z.string(),
      /** When the provider takes work again, if it told (ms UTC). */
      resetAtMs: count.nullish(),
    })
    .nullable(),
  /** The agent ended its run with a question to a person, or with a plan to be agreed to. */
  question: z
    .object({ kind: z.enum(["question", "plan"]), text: z.string().max(10_000) })
    .nullish(),
  /** A fault of the runner's own work (clone, start, diff), null when there was none. */
  fault: z.object({ code: z.enum(errorCodes), message: z.string() }).nullable(),
  sessionId: z.string().nullable(),
  usage: tokenUsageSchema.nullable(),
  /** The model that the agent says it used. */
  model: z.string().nullish(),
  baseCommit: z.string().nullable(),
  /** The git tree of the workspace as the agent left it, exact in bytes. */
  treeId: z.string().nullable(),
  /** Null when nothing changed, or when no diff could be taken (then `fault` or `stoppedBy` says why). */
  patch: patchSetSchema.nullable(),
  durationMs: count,
});
export type RunReport = z.infer<typeof runReportSchema>;

export const validationCommandSchema = z
  .strictObject({
    name: z.string().min(1).max(100),
    argv: z.array(z.string().min(1).max(2000)).min(1).max(100),
    timeoutMs: limitMs,
  })
  .meta({ id: "ValidationCommand" });
export type ValidationCommand = z.infer<typeof validationCommandSchema>;

export const patchRunRequestSchema = z.strictObject({
  protocol,
  fence,
  taskId: z.string().max(100),
  set: patchSetSchema,
  /** With the commit that the set is against. */
  source: sourceSchema,
  /**
   * A commit that goes on from the one that the set is against: the set is merged with it, and the tree is one to
   * commit on it. `refused` with `conflict` where it does not go on from there.
   */
  onto: commitIdSchema.optional(),
  validation: z.strictObject({ commands: z.array(validationCommandSchema).max(50) }),
  /** The tree that the run of the agent ended with; another one is `engine_mismatch`. Null with `onto`. */
  expectedTreeId: z.string().nullable(),
  /**
   * With `protectedPaths` the tree is made although the set touches such paths; absent = they refuse the set. It
   * decides about a tree, not about a ref: whoever delivers it has to have a person's approval.
   */
  approved: z.strictObject({ protectedPaths: z.boolean() }).optional(),
  doorbell: doorbellSchema.optional(),
});
export type PatchRunRequest = z.infer<typeof patchRunRequestSchema>;

export const commandOutputSchema = z.object({
  bytes: count,
  cut: z
    .boolean()
    .meta({ description: "It printed more than is kept; a note at the end says so." }),
});
export type CommandOutput = z.infer<typeof commandOutputSchema>;

/** How long the stream of an output is. */
export const outputBytesHeader = "x-output-bytes";
/** A runner keeps no more of what one command printed, its note included. */
export const largestOutputBytes = 16 * 1024 * 1024;

export const commandVerdictSchema = z
  .object({
    name: z.string(),
    argv: z.array(z.string()),
    status: z.enum(["passed", "failed", "timed_out", "not_started"]),
    exitCode: z.int().nullable(),
    durationMs: count,
    /** The last part of what it printed, redacted. */
    tail: z.string(),
    output: commandOutputSchema.nullish().meta({
      description:
        "What is kept beyond the tail. Absent: the tail is all that was printed. Null: there was more, and it could not be kept.",
    }),
  })
  .meta({ id: "CommandVerdict" });
export type CommandVerdict = z.infer<typeof commandVerdictSchema>;

export const validationReportSchema = z
  .object({
    status: z.enum(["passed", "failed", "none"]),
    commands: z.array(commandVerdictSchema),
    place: z.enum(["runner", "container"]).optional().meta({
      description:
        "Where the commands ran: on the runner of patches, or in a clean container of their own; set by Switchyard.",
    }),
    run: z.string().optional().meta({
      description: "The run that came to these verdicts; set by Switchyard.",
    }),
  })
  .meta({ id: "ValidationReport" });
export type ValidationReport = z.infer<typeof validationReportSchema>;

/** What a set does to the lines of one file; `added` and `removed` are null where git counts none: a binary file. */
export const fileChangeSchema = z.object({
  path: z.string(),
  /** Lines of the file before; 0 for a new one. Of a renamed file: of its source. */
  linesBefore: count,
  added: count.nullable(),
  removed: count.nullable(),
});
export type FileChange = z.infer<typeof fileChangeSchema>;

export const patchReportSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("refused"),
    faults: z.array(patchFaultSchema).min(1),
    /** With `onto`: what stood in the way. All marked texts together have at most 64 KB. */
    conflicts: z.array(reportedConflictSchema).nullish(),
  }),
  z.object({
    kind: z.literal("applied"),
    treeId: z.string(),
    baseCommit: z.string(),
    validation: validationReportSchema,
    /** Absent = the runner does not count. With `onto`: what is done to that commit. */
    changes: z.array(fileChangeSchema).nullish(),
    /** With `onto`: its tree holds all that the set changes, so that there is nothing to commit. */
    alreadyApplied: z.boolean().nullish(),
  }),
  z.object({ kind: z.literal("stopped"), by: z.enum(stopReasons) }),
  z.object({ kind: z.literal("engine_mismatch"), message: z.string() }),
  z.object({
    kind: z.literal("fault"),
    code: z.enum(errorCodes),
    message: z.string(),
  }),
]);
export type PatchReport = z.infer<typeof patchReportSchema>;

export const runStatusSchema = z.object({
  id: z.string(),
  fence,
  state: z.enum(["live", "finished"]),
  lastEvent: count,
});
export type RunStatus = z.infer<typeof runStatusSchema>;

export const runResultSchema = runStatusSchema.extend({ report: runReportSchema.nullable() });
export type RunResult = z.infer<typeof runResultSchema>;
export const patchResultSchema = runStatusSchema.extend({ report: patchReportSchema.nullable() });
export type PatchResult = z.infer<typeof patchResultSchema>;

export const cancelRequestSchema = z.strictObject({
  fence,
  reason: z.enum(["cancel", "wall_clock", "silence"]),
});

export const runnerHealthSchema = z.object({
  protocols: z.array(z.string()),
  role: z.enum(runnerRoles),
  /** The agents it can start, with the version that is installed. */
  agents: z.record(z.string(), z.object({ version: z.string() })),
  live: z.string().nullable(),
  /** Another one after each start of the runner: what it knew before may be gone. */
  boot: z.string().max(100).optional(),
});
export type RunnerHealth = z.infer<typeof runnerHealthSchema>;

export const deniedHostSchema = z.strictObject({
  host: z.string().max(255),
  because: z.string().max(100),
});

/** Answered with a git bundle of one branch, which has no name where the source named a commit. */
export const bundleRequestSchema = z.strictObject({ source: sourceSchema });
export const bundleHeaders = { commit: "x-bundle-commit", branch: "x-bundle-branch" } as const;
export const bundleStoredSchema = z.object({ bytes: count });

/** The envelope of every JSON answer of a runner. */
export const runnerAnswer = <T extends z.ZodType>(value: T) =>
  z.discriminatedUnion("ok", [
    z.object({ ok: z.literal(true), value }),
    z.object({
      ok: z.literal(false),
      error: z.object({
        // A code of a later version: what the runner says of it still reaches a person.
        code: z.enum(errorCodes).catch("runner_protocol_error"),
        message: z.string(),
      }),
    }),
  ]);
