import { z } from "zod";
import { runnerProtocols } from "../../../shared/contracts/runner.ts";
import { type ErrorCode, SwitchyardError } from "../../../shared/errors.ts";
import { isReservedVariable } from "../processes/environment.ts";

/** Parses a body by its schema; what is wrong with it is told by field, never by value. */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String) ?? [];
  const field = path.length === 0 ? "the body" : path.join(".");
  throw new SwitchyardError(codeOf(path), `${field}: ${issue?.message ?? "is not valid"}`);
}

/** Asked before anything else of a body is looked at: another protocol may have other fields. */
export function checkProtocol(body: unknown): void {
  const claimed = z.object({ protocol: z.string() }).safeParse(body);
  if (!claimed.success) return;
  if (runnerProtocols.some((protocol) => protocol === claimed.data.protocol)) return;
  throw new SwitchyardError(
    "protocol_unsupported",
    `This runner speaks ${runnerProtocols.join(", ")}, not ${claimed.data.protocol.slice(0, 40)}.`,
  );
}

export function checkPrompt(prompt: string): void {
  if (prompt.trim() === "")
    throw new SwitchyardError("prompt_required", "prompt: say what the agent is to do");
}

export function checkSecretNames(secrets: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(secrets).find(isReservedVariable);
  if (reserved !== undefined)
    throw new SwitchyardError("invalid_request", `secrets.${reserved}: this name is reserved`);
}

const runId = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** An id is the name of a folder, too. */
export function checkRunId(id: string): string {
  if (!runId.test(id))
    throw new SwitchyardError("invalid_request", "The id has other characters than an id has.");
  return id;
}

/** A number from the query; the default where it is absent. */
export function parseCount(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "0";
  if (!/^\d{1,15}$/.test(text))
    throw new SwitchyardError("invalid_request", `${name}: must be a whole number from 0`);
  return Number(text);
}

const timeFields = new Set(["wallClockMs", "silenceMs", "timeoutMs"]);

function codeOf(path: readonly string[]): ErrorCode {
  if (path[0] === "prompt") return "prompt_required";
  return timeFields.has(path.at(-1) ?? "") ? "invalid_timeout" : "invalid_request";
}
