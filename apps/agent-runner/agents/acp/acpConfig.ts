import { readFileSync } from "node:fs";
import { z } from "zod";
import { agentErrorKinds } from "../../../../shared/contracts/agentEvent.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { isReservedVariable } from "../../processes/environment.ts";

/** An agent's name on the runner and of its provider. */
const agentId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,39}$/, "must be 2 to 40 of a-z, 0-9 and -, and begin with a letter");

const variable = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{1,80}$/, "must be an environment variable's name in capitals")
  .refine((name) => !isReservedVariable(name), "is a name that the runner keeps for itself");

const homePath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/, "must be a path below HOME, without ..");

const milliseconds = z.int().min(1).max(86_400_000);

/** A place in a JSON value, as names joined by dots. */
const fieldPath = z.string().regex(/^[^.]+(\.[^.]+)*$/, "must be names joined by dots");

const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}, "must be a regular expression");

/**
 * One agent that speaks the Agent Client Protocol. In `argv`, `env` and `files` the placeholders `{model}` and
 * `{endpoint}` stand for what the run asks for; an entry with one that has no value is left out. `{agents}` in
 * `argv` is the directory of the installed agents.
 */
export const acpAgentSchema = z.strictObject({
  id: agentId,
  title: z.string().min(1).max(100),
  version: z.string().min(1).max(60).default("unpinned"),
  argv: z.array(z.string().min(1)).min(1),
  /** Values, or the names of secrets of the run whose values they are. */
  env: z.record(variable, z.union([z.string(), z.strictObject({ secret: variable })])).default({}),
  /** Worker secrets that hold its key, first come first served, and the variable in which it reads the key. */
  secretNames: z.array(variable).min(1),
  credentialVariable: variable,
  /** Files that it wants to find below its HOME. */
  files: z.record(homePath, z.string()).default({}),
  /** Files and folders below HOME that hold its sessions. */
  sessionPaths: z.array(homePath).default([]),
  authMethod: z.string().min(1).optional(),
  mode: z.string().min(1).optional(),
  configOptions: z.record(z.string(), z.union([z.string(), z.boolean()])).default({}),
  /** `_meta` of the request for a new session. */
  sessionMeta: z.record(z.string(), z.unknown()).optional(),
  /** When a session is lost: `auto` ends the run, `fresh` begins a new one. `never` begins a new one always. */
  resume: z.enum(["auto", "fresh", "never"]).default("auto"),
  permission: z.enum(["allow-in-workspace", "allow-all", "reject"]).default("allow-in-workspace"),
  timeouts: z
    .strictObject({
      startMs: milliseconds.default(60_000),
      idleMs: milliseconds.optional(),
      totalMs: milliseconds.optional(),
    })
    .default({ startMs: 60_000 }),
  /** What its figures mean. Absent: they are told as they come and count for nothing. */
  usage: z
    .strictObject({
      scope: z.enum(["turn", "last-call", "none"]),
      /** Whether `inputTokens` includes what came from the cache; absent: the sum of the answer tells. */
      cachedInside: z.boolean().optional(),
      costScope: z.enum(["session", "process", "none"]).default("none"),
    })
    .optional(),
  /** What tells, beside the protocol, that a turn which ended well did not. */
  failure: z
    .strictObject({
      textPatterns: z.array(pattern).default([]),
      tells: z
        .array(z.strictObject({ path: fieldPath, equals: z.string().optional() }))
        .default([]),
      errorData: z
        .array(
          z.strictObject({ path: fieldPath, equals: z.string(), kind: z.enum(agentErrorKinds) }),
        )
        .default([]),
    })
    .default({ textPatterns: [], tells: [], errorData: [] }),
});

export type AcpAgent = z.infer<typeof acpAgentSchema>;

const acpFileSchema = z.strictObject({
  $schema: z.string().optional(),
  agents: z
    .array(acpAgentSchema)
    .min(1)
    .refine(
      (agents) => new Set(agents.map(({ id }) => id)).size === agents.length,
      "must have an id each",
    ),
});

export function parseAcpAgents(text: string, file: string): AcpAgent[] {
  const parsed = acpFileSchema.safeParse(parseJson(text, file));
  if (parsed.success) return parsed.data.agents;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new SwitchyardError("invalid_request", `${file}: ${faults.join("; ")}`);
}

export function readAcpAgents(file: string): AcpAgent[] {
  return parseAcpAgents(
    orRefuse(`${file} cannot be read`, () => readFileSync(file, "utf8")),
    file,
  );
}

const parseJson = (text: string, file: string): unknown =>
  orRefuse(`${file} is no JSON`, () => JSON.parse(text));

function orRefuse<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw refusal(what, error);
  }
}

function refusal(what: string, cause: unknown): SwitchyardError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SwitchyardError("invalid_request", `${what}: ${why}`, { cause });
}
